import { AntennaError } from '../../errors/base.js';

/**
 * Throw it from a handler when the image can never be processed. The server gets an error result at once; the task is
 * final and will not be retried. The message is stored with the job and publicly readable on public projects.
 */
export class PermanentTaskError extends AntennaError {
  static override readonly className: string = 'PermanentTaskError';

  constructor(message: string, options: { cause?: unknown } = {}) {
    super({ code: 'task_permanent', message, cause: options.cause });
  }
}

/**
 * Throw it from a handler when another try may go well. The task's lease is left to lapse, so that a worker gets it again; on the
 * last delivery an error result is posted.
 */
export class RetryableTaskError extends AntennaError {
  static override readonly className: string = 'RetryableTaskError';

  constructor(message: string, options: { cause?: unknown } = {}) {
    super({ code: 'task_retryable', message, cause: options.cause });
  }
}

/**
 * Throw it from a handler or an executor when the memory (of the graphics card, of the process) did not suffice for this batch. The same
 * images are tried again at once in smaller batches, and the batches after them are smaller too. For a single image, which cannot be cut,
 * it means what {@link RetryableTaskError} means, after one more try: the memory may be taken by another process.
 *
 * Other errors of a whole batch are narrowed down as well; this one shrinks the next batches even when it came down to single images,
 * which of any other error would say that the images are to blame.
 */
export class OutOfMemoryTaskError extends RetryableTaskError {
  static override readonly className: string = 'OutOfMemoryTaskError';
  override readonly code: string = 'task_out_of_memory';
}

/** The lease ran out before the task was started; another delivery of it is on its way. Only ever written to the failure log. */
export class LeaseExpiredError extends RetryableTaskError {
  static override readonly className: string = 'LeaseExpiredError';
  override readonly code: string = 'lease_expired';

  constructor(ageMs: number) {
    super(`the lease ran out before the task was started, ${Math.round(ageMs / 1_000)} s after it was taken`);
  }
}
