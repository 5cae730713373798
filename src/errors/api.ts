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

/** 400: the request was refused; `fieldErrors` says which field and why. */
export class BadRequestError extends AntennaApiError {
  static override readonly className: string = 'BadRequestError';
}

/** 401: no credential, a wrong one, or one that this server does not understand. */
export class AuthenticationError extends AntennaApiError {
  static override readonly className: string = 'AuthenticationError';
}

/** 403: the credential is valid and may not do this. */
export class PermissionDeniedError extends AntennaApiError {
  static override readonly className: string = 'PermissionDeniedError';
}

/** 404: missing, or invisible to this credential: the server does not tell the two apart. */
export class NotFoundError extends AntennaApiError {
  static override readonly className: string = 'NotFoundError';
}

/** 413: the body is over the limit of a proxy on the way. Send less at once. */
export class PayloadTooLargeError extends AntennaApiError {
  static override readonly className: string = 'PayloadTooLargeError';
}

/** 429: too many requests. */
export class RateLimitError extends AntennaApiError {
  static override readonly className: string = 'RateLimitError';
}

/** Any 5xx. Several mistakes of the caller end in a 500 without a reason (contract §8.3). */
export class ServerError extends AntennaApiError {
  static override readonly className: string = 'ServerError';
}

const BY_STATUS: Readonly<Record<number, readonly [typeof AntennaApiError, string]>> = {
  400: [BadRequestError, 'bad_request'],
  401: [AuthenticationError, 'authentication'],
  403: [PermissionDeniedError, 'permission_denied'],
  404: [NotFoundError, 'not_found'],
  413: [PayloadTooLargeError, 'payload_too_large'],
  429: [RateLimitError, 'rate_limited'],
};

/** The error for a status of 400 and above. */
export function apiError(options: Omit<ApiErrorOptions, 'code'>): AntennaApiError {
  const [ErrorClass, code] =
    BY_STATUS[options.status] ?? (options.status >= 500 ? [ServerError, 'server'] : [AntennaApiError, 'api']);
  return new ErrorClass({ ...options, code });
}
