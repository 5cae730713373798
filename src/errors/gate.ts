import { AntennaError } from './base.js';

/**
 * The server answered an earlier call with 429 or 503, and asked for longer than this call may take: nothing was sent. Try
 * again after `retryAfterMs`.
 */
export class OriginGateError extends AntennaError {
  static override readonly className: string = 'OriginGateError';
  readonly retryAfterMs: number;
  readonly delivered = 'no';

  constructor(options: { method: string; path: string; retryAfterMs: number }) {
    super({
      code: 'origin_gate',
      message:
        `${options.method} ${options.path} was not sent: the server asked to be left alone for another ` +
        `${Math.ceil(options.retryAfterMs)} ms (429 or 503), longer than this call may take`,
    });
    this.retryAfterMs = options.retryAfterMs;
  }
}
