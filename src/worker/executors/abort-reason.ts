import { AntennaError } from '../../errors/base.js';
import { AntennaTimeoutError } from '../../errors/connection.js';

/**
 * Why a handler's signal aborts:
 * - `timeout`: the call took longer than allowed; the image fails.
 * - `shutdown`: the worker must end now; the server will deliver the image again.
 * - `job_gone`: nobody wants the result any more.
 *
 * A lease that ran out is not among them: a late result still counts.
 */
export type AbortKind = 'timeout' | 'shutdown' | 'job_gone';

const TEXTS: Readonly<Record<AbortKind, string>> = {
  timeout: 'the handler took too long',
  shutdown: 'the worker is shutting down',
  job_gone: 'the job is gone',
};

/** The reason of a handler's `signal`, also in another thread or process, where it is told apart by `kind`. */
export class HandlerAbortError extends AntennaError {
  static override readonly className: string = 'HandlerAbortError';
  readonly kind: AbortKind;

  constructor(kind: AbortKind, options: { cause?: unknown } = {}) {
    super({
      code: 'handler_aborted',
      message: `The handler was aborted: ${TEXTS[kind]}`,
      cause: options.cause,
    });
    this.kind = kind;
  }
}

/** The typed reason behind any signal: its own if it is one, else what it most likely means. */
export function abortReason(signal: AbortSignal): HandlerAbortError {
  const cause: unknown = signal.reason;
  if (cause instanceof HandlerAbortError) return cause;
  return new HandlerAbortError(cause instanceof AntennaTimeoutError ? 'timeout' : 'shutdown', { cause });
}
