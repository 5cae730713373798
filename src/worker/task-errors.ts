import { AntennaError } from '../errors/base.js';

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
