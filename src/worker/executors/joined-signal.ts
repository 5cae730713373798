import { setMaxListeners } from 'node:events';

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
