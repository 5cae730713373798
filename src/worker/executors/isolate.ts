import { OutOfMemoryTaskError, RetryableTaskError } from '../handler/task-errors.js';
import type { TaskImage } from '../handler/handler.js';
import { HandlerAbortError } from './joined-signal.js';
import type { BatchContext, BatchOutcome } from './executor.js';
import { HandlerCrashError } from './execution-errors.js';

/**
 * Runs a unit of images, if `fresh` where nothing else has run before.
 * @throws when the unit failed as a whole.
 */
export type Attempt = (unit: readonly TaskImage[], fresh: boolean) => Promise<readonly BatchOutcome[]>;

/**
 * Runs a unit, and narrows a failure of the whole down by halves: only the images that fail alone get an error. For k bad images of n
 * that is at most 2k·log₂n attempts more.
 * @returns one outcome per image, in order; never rejects.
 */
export async function isolate(
  unit: readonly TaskImage[],
  attempt: Attempt,
  fresh = false,
): Promise<readonly BatchOutcome[]> {
  try {
    return await attempt(unit, fresh);
  } catch (error) {
    if (concernsAll(error)) return failAll(unit, error);
    if (unit.length > 1) {
      const middle = unit.length >> 1;
      const head = await isolate(unit.slice(0, middle), attempt);
      return [...head, ...(await isolate(unit.slice(middle), attempt))];
    }
    // What ran there before may have left a leak or a broken device; the image is blamed only if it kills a fresh process as well.
    if (error instanceof HandlerCrashError && !error.fresh && !fresh) return isolate(unit, attempt, true);
    return failAll(unit, error);
  }
}

/** Tells of every call how it ended; an abort says nothing about the batch. */
export function reporting(attempt: Attempt, onAttempt: BatchContext['onAttempt']): Attempt {
  if (!onAttempt) return attempt;
  return async (unit, fresh) => {
    try {
      const outcomes = await attempt(unit, fresh);
      const full = outcomes.find((outcome) => !outcome.ok && outcome.error instanceof OutOfMemoryTaskError);
      onAttempt({ images: unit, error: full && !full.ok ? full.error : undefined });
      return outcomes;
    } catch (error) {
      if (!(error instanceof HandlerAbortError)) onAttempt({ images: unit, error });
      throw error;
    }
  };
}

/** The same error for every image. */
export function failAll(unit: readonly TaskImage[], error: unknown): BatchOutcome[] {
  return unit.map(() => ({ ok: false, error }));
}

/** An abort, a handler that cannot start, or one that says itself that trying again later is right: smaller batches help nobody. */
function concernsAll(error: unknown): boolean {
  if (error instanceof HandlerAbortError) return true;
  if (error instanceof HandlerCrashError || error instanceof OutOfMemoryTaskError) return false;
  return error instanceof RetryableTaskError;
}
