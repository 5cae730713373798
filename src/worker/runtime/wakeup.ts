import { sleep, type Clock } from '../../time/clock.js';

/** Lets a loop wait until something changed, some time has passed, or it is told to end; whichever is first. */
export class Wakeup {
  readonly #clock: Clock;
  #controller = new AbortController();
  #pending = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something changed. If nobody waits, the next wait ends at once: a change between look and wait must not be missed. */
  notify(): void {
    this.#pending = true;
    this.#controller.abort();
  }

  /** Never throws. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#pending && !signal.aborted) {
      this.#controller = new AbortController();
      const wake = this.#controller;
      const onAbort = (): void => {
        wake.abort();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      await sleep(this.#clock, timeoutMs, wake.signal).catch(() => undefined);
      signal.removeEventListener('abort', onAbort);
    }
    this.#pending = false;
  }
}
