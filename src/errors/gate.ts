import { AntennaError, type Delivered } from './base.js';

/**
 * The server answered an earlier call with 429 or 503, and asked for longer than this call may take: it was not sent, or not sent
 * again. Try after `retryAfterMs`.
 */
export class OriginGateError extends AntennaError {
  static override readonly className: string = 'OriginGateError';
  readonly retryAfterMs: number;
  /** `'unknown'` if an earlier attempt of the same call may have reached the server. */
  readonly delivered: Delivered;

  constructor(options: { method: string; path: string; retryAfterMs: number; delivered?: Delivered }) {
    const delivered = options.delivered ?? 'no';
    super({
      code: 'origin_gate',
      message:
        `${options.method} ${options.path} was not sent${delivered === 'no' ? '' : ' again'}: the server asked to be left alone for another ` +
        `${Math.ceil(options.retryAfterMs)} ms (429 or 503), longer than this call may take`,
    });
    this.retryAfterMs = options.retryAfterMs;
    this.delivered = delivered;
  }
}
