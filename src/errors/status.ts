import { AntennaApiError, type ApiErrorOptions } from './api.js';

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
