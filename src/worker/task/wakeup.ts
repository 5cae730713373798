import type { Clock } from '../../time/clock.js';
import { onAbort } from '../../time/on-abort.js';

/** Lets a loop wait until something changed, some time has passed, or it is told to end; whichever is first. */
export class Wakeup {
  readonly #clock: Clock;
  #wake: (() => void) | undefined;
  #pending = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something changed. If nobody waits, the next wait ends at once: a change between look and wait must not be missed. */
  notify(): void {
    this.#pending = true;
    this.#wake?.();
  }

  /** Never throws. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    // A promise and no signal of its own: every finished task notifies, and an abort makes an exception with a stack each time.
    if (!this.#pending && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#wake = undefined;
          cancel();
          unlisten();
          resolve();
        };
        const cancel = this.#clock.schedule(timeoutMs, wake);
        const unlisten = onAbort(signal, wake);
        this.#wake = wake;
      });
    }
    this.#pending = false;
  }
}
