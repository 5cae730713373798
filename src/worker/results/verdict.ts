import { HandlerUnavailableError } from '../executors/execution-errors.js';
import { OutOfMemoryTaskError, PermanentTaskError, RetryableTaskError } from '../handler/task-errors.js';

/** What becomes of a task that failed: an error result, which is final, or silence, so that its lease lapses. */
export type Verdict = 'post-error' | 'let-lapse';

/**
 * Decides what a failure means. An error result is final on the server (trap T26), so a passing fault must not use one while another
 * delivery is left; on the last delivery it must, or the job would wait for an image that nobody will be given again. Of a model that is
 * not there at all nothing is said, ever: it would fail whole jobs that are well.
 *
 * @param delivery - number of this delivery, if it could be read.
 */
export function judge(error: unknown, delivery: number | undefined, maxDeliveries: number): Verdict {
  if (error instanceof HandlerUnavailableError) return 'let-lapse';
  if (!(error instanceof RetryableTaskError)) return 'post-error';
  return delivery !== undefined && delivery >= maxDeliveries ? 'post-error' : 'let-lapse';
}

/** True for errors with which a handler has decided; others are worth one more try. */
export function isDecided(error: unknown): boolean {
  // A card that several processes share is full at one moment and not at the next.
  if (error instanceof OutOfMemoryTaskError) return false;
  return error instanceof PermanentTaskError || error instanceof RetryableTaskError;
}

/** Longest error text that is posted; the server shows it in the job's log. */
const MAX_ERROR_CHARS = 500;

/** The text of an error result: class and message, never a stack, which holds paths of this machine. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.slice(0, MAX_ERROR_CHARS) || 'unknown error';
}
