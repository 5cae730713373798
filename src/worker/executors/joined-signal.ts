import { AntennaError } from '../../errors/base.js';
import { AntennaTimeoutError } from '../../errors/connection.js';
import { setMaxListeners } from 'node:events';

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

/** A controller whose signal many calls listen to at the same time, which Node would report as a leak from the eleventh on. */
export function sharedController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/**
 * One signal for all the calls of a batch, which aborts with the first of several, for the same reason. The caller's signal then has
 * one listener a batch, and none once it is done.
 */
export class JoinedSignal {
  readonly #sources: readonly AbortSignal[];
  readonly #controller = sharedController();

  constructor(sources: readonly AbortSignal[]) {
    this.#sources = sources;
    for (const source of sources) source.addEventListener('abort', this.#onAbort, { once: true });
    this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  dispose(): void {
    for (const source of this.#sources) source.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    const source = this.#sources.find(({ aborted }) => aborted);
    if (source) this.#controller.abort(source.reason);
  };
}

/** A promise with its two ends outside. `Promise.withResolvers` came with Node 22. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}

export function deferred<Value>(): Deferred<Value> {
  let resolve: Deferred<Value>['resolve'] = () => undefined;
  let reject: Deferred<Value>['reject'] = () => undefined;
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  // It may fail before anyone waits; whoever waits later still learns of it.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
