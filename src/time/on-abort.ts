/** Those who wait for one signal. */
class Listeners {
  readonly #signal: AbortSignal;
  readonly #callbacks = new Set<() => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#tell, { once: true });
  }

  add(run: () => void): void {
    this.#callbacks.add(run);
  }

  delete(run: () => void): void {
    if (!this.#callbacks.delete(run) || this.#callbacks.size > 0) return;
    this.#signal.removeEventListener('abort', this.#tell);
    heard.delete(this.#signal);
  }

  readonly #tell = (): void => {
    heard.delete(this.#signal);
    for (const run of this.#callbacks) run();
    this.#callbacks.clear();
  };
}

const heard = new WeakMap<AbortSignal, Listeners>();

/**
 * Calls back once when the signal aborts; not if it already has. All who wait for one signal share a listener: a worker's calls come and
 * go thousands of times a second with the same shutdown signal, and adding and removing a listener for each is a good part of what a
 * task costs. Node also takes more than ten for a leak.
 * @param run - must not throw, and must not be given twice for the same signal.
 * @returns a function that takes it away. With the last one the listener goes too, so that the signal can be collected.
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  let listeners = heard.get(signal);
  if (!listeners) heard.set(signal, (listeners = new Listeners(signal)));
  listeners.add(run);
  const kept = listeners;
  return () => {
    kept.delete(run);
  };
}
