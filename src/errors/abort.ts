import { AntennaError, type Delivered } from './base.js';

/** The caller's signal aborted, or the client was closed. `cause` is the signal's own reason. Never retried. */
export class AntennaAbortError extends AntennaError {
  static override readonly className: string = 'AntennaAbortError';
  /** Whether the request may have reached the server before the abort. */
  readonly delivered: Delivered;

  constructor(options: { cause?: unknown; message?: string; delivered?: Delivered } = {}) {
    super({
      code: 'aborted',
      message: options.message ?? 'The call was aborted by its signal',
      cause: options.cause,
    });
    this.delivered = options.delivered ?? 'unknown';
  }
}
