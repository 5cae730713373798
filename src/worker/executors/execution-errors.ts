import { PermanentTaskError, RetryableTaskError } from '../handler/task-errors.js';

/**
 * The thread or process died under the handler: a native crash, out of memory, `process.exit`. Another worker may have more luck, so
 * the lease is left to lapse; on the last delivery the image fails.
 */
export class HandlerCrashError extends RetryableTaskError {
  static override readonly className: string = 'HandlerCrashError';
  override readonly code: string = 'handler_crash';
  /** True if nothing else had run there before: then only this call can be to blame. */
  readonly fresh: boolean;

  constructor(message: string, options: { readonly fresh: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.fresh = options.fresh;
  }
}

/** The handler took longer than allowed and was ended. It would again, so the image fails. */
export class HandlerTimeoutError extends PermanentTaskError {
  static override readonly className: string = 'HandlerTimeoutError';
  override readonly code: string = 'handler_timeout';

  constructor(timeoutMs: number) {
    super(`the handler took longer than ${timeoutMs} ms and was ended`);
  }
}

/** The handler could not be loaded or warmed up where it should run. No image is to blame, so leases are left to lapse. */
export class HandlerStartError extends RetryableTaskError {
  static override readonly className: string = 'HandlerStartError';
  override readonly code: string = 'handler_start';
  /**
   * What the process printed last. Not part of the message: that of a failed restart may end in the job's public log. The error of a
   * worker's start names them in its message.
   */
  readonly lastLines: readonly string[];

  constructor(
    message: string,
    options: { readonly cause?: unknown; readonly lastLines?: readonly string[] } = {},
  ) {
    super(message, { cause: options.cause });
    this.lastLines = options.lastLines ?? [];
  }

  /** The same with what the process printed last. */
  with(lastLines: readonly string[]): HandlerStartError {
    return new HandlerStartError(this.message, { cause: this.cause, lastLines: [...lastLines] });
  }

  /** The same with those lines in its message, for whoever starts a worker and looks for the reason. */
  spelledOut(): HandlerStartError {
    if (this.lastLines.length === 0) return this;
    const message = [`${this.message}. It printed last:`, ...this.lastLines].join('\n  ');
    return new HandlerStartError(message, { cause: this.cause, lastLines: this.lastLines });
  }
}

/**
 * What runs the handler is away, or cannot take images at all. No image is to blame: the lease is left to lapse, on the last delivery
 * too.
 */
export class HandlerUnavailableError extends RetryableTaskError {
  static override readonly className: string = 'HandlerUnavailableError';
  override readonly code: string = 'handler_unavailable';
}

/** The handler returned nothing for an image, or nothing usable. */
export class HandlerOutputError extends PermanentTaskError {
  static override readonly className: string = 'HandlerOutputError';
  override readonly code: string = 'handler_output';
}

/**
 * The images of a call are in hand again, and nothing is known of them: whoever had them went away before their turn came, or said
 * goodbye. The call is made again, and no outcome ever has this error.
 */
export class CallReturnedError extends Error {
  override readonly name = 'CallReturnedError';

  constructor(reason = 'its turn had not come') {
    super(reason);
  }
}
