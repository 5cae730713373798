import { AntennaError, type RequestContext } from './base.js';

/** Messages by field; errors that belong to no field are under `non_field_errors`. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

/** What an {@link AntennaApiError} is made of. */
export interface ApiErrorOptions extends RequestContext {
  readonly status: number;
  /** The parsed JSON body, or undefined when it was HTML or no JSON. */
  readonly body: unknown;
  readonly fieldErrors: FieldErrors;
  /** The server's own words, in one line. */
  readonly detail: string;
  /** What the caller can do about it. */
  readonly hint?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly code?: string;
}

/**
 * The server answered, and the answer was no. The subclass follows the status. Match on class, `status` or `code`; the
 * server's texts are English sentences without codes and may change.
 */
export class AntennaApiError extends AntennaError {
  static override readonly className: string = 'AntennaApiError';
  readonly status: number;
  readonly method: string;
  readonly path: string;
  readonly requestId: string;
  readonly attempts: number;
  readonly body: unknown;
  readonly fieldErrors: FieldErrors;
  /** The server's own words, in one line. */
  readonly detail: string;
  /** How long the server asked to be left alone, in milliseconds, if it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(options: ApiErrorOptions) {
    // Django's own details end with a full stop, ours do not.
    const hint =
      options.hint === undefined ? '' : `${options.detail.endsWith('.') ? '' : '.'} ${options.hint}`;
    super({
      code: options.code ?? 'api',
      message: `${options.method} ${options.path} → ${options.status}: ${options.detail}${hint}`,
    });
    this.status = options.status;
    this.method = options.method;
    this.path = options.path;
    this.requestId = options.requestId;
    this.attempts = options.attempts;
    this.body = options.body;
    this.fieldErrors = options.fieldErrors;
    this.detail = options.detail;
    this.retryAfterMs = options.retryAfterMs;
  }
}
