import { AntennaAbortError, OriginGateError } from '../../errors/connection.js';
import {
  AntennaApiError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  PayloadTooLargeError,
  PermissionDeniedError,
} from '../../errors/api.js';

/**
 * What a failed post means:
 * - `retry`: it may pass; the same bytes again, with backoff.
 * - `hold`: the credential is refused; keep everything, take nothing, try slowly.
 * - `too-large`: split; never the same bytes again.
 * - `invalid`: the server refuses the whole list for one bad item: find it.
 * - `gone`: the job does not exist any more.
 * - `aborted`: the worker is ending.
 */
export type PostVerdict = 'retry' | 'hold' | 'too-large' | 'invalid' | 'gone' | 'aborted';

/** Reads the verdict off the error. */
export function judgePost(error: unknown, signal: AbortSignal): PostVerdict {
  if (error instanceof AntennaAbortError && signal.aborted) return 'aborted';
  if (error instanceof PayloadTooLargeError) return 'too-large';
  if (error instanceof BadRequestError) return 'invalid';
  if (error instanceof AuthenticationError || error instanceof PermissionDeniedError) return 'hold';
  // An HTML 404 is a proxy or a wrong address, not a job that is gone: results must outlive a deployment.
  if (error instanceof NotFoundError && error.body !== undefined) return 'gone';
  return 'retry';
}

/** How long the server asked to be left alone, if it did. */
export function askedWaitMs(error: unknown): number {
  if (error instanceof AntennaApiError || error instanceof OriginGateError) return error.retryAfterMs ?? 0;
  return 0;
}
