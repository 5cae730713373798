import { HandlerUnavailableError } from '../worker/executors/execution-errors.js';
import { OUT_OF_MEMORY } from './answers.js';
import {
  OutOfMemoryTaskError,
  PermanentTaskError,
  RetryableTaskError,
} from '../worker/handler/task-errors.js';

/**
 * The service does not speak the push API, or does not take what is sent to it: a 404, an HTML page, a 422 that lists fields. It would
 * say so of every image, so the pipeline is stopped, no image fails, and the leases are left to lapse.
 */
export class PushContractError extends HandlerUnavailableError {
  static override readonly className: string = 'PushContractError';
  override readonly code: string = 'push_contract';
}

/** The service failed on this image, or on a batch with it. The message ends in the first line of what it said. */
export class PushFailureError extends PermanentTaskError {
  static override readonly className: string = 'PushFailureError';
  override readonly code: string = 'push_failure';
}

/** The service failed in a way that passes: a gateway's 502, an answer that broke off. */
export class PushRetryableError extends RetryableTaskError {
  static override readonly className: string = 'PushRetryableError';
  override readonly code: string = 'push_retryable';
}

/** The error of a call that failed. @param passing - whether another try may go better. */
export function failureError(text: string, passing: boolean): Error {
  if (OUT_OF_MEMORY.test(text)) return new OutOfMemoryTaskError(text);
  return passing ? new PushRetryableError(text) : new PushFailureError(text);
}
