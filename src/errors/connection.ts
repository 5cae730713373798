import { AntennaError, type Delivered, type RequestContext } from './base.js';

/** No whole answer came back: refused, reset, unresolvable, or cut off in the middle of the body. */
export class AntennaConnectionError extends AntennaError {
  static override readonly className: string = 'AntennaConnectionError';
  readonly method: string;
  readonly path: string;
  readonly requestId: string;
  readonly attempts: number;
  readonly delivered: Delivered;
  /** The system's or undici's own code, such as `"ECONNREFUSED"` or `"UND_ERR_SOCKET"`, if there was one. */
  readonly causeCode: string | undefined;

  constructor(
    options: RequestContext & {
      delivered: Delivered;
      reason: string;
      causeCode?: string | undefined;
      cause?: unknown;
    },
  ) {
    const certainty =
      options.delivered === 'no' ? 'it was not delivered' : 'it may or may not have reached the server';
    super({
      code: 'connection',
      message: `${options.method} ${options.path} failed: ${options.reason} (${certainty}; attempt ${options.attempts})`,
      cause: options.cause,
    });
    this.method = options.method;
    this.path = options.path;
    this.requestId = options.requestId;
    this.attempts = options.attempts;
    this.delivered = options.delivered;
    this.causeCode = options.causeCode;
  }
}
