import { sleep, type Clock } from '../time/clock.js';

/**
 * Longest closure that a `Retry-After` can bring about. A broken proxy once sent a date years ahead; after five minutes one more
 * request finds out.
 */
export const MAX_GATE_MS = 300_000;

/**
 * The origin's gate. One 429 or 503 closes it for all concurrent calls of the client: twenty calls that each learn for themselves
 * that the server wants to be left alone are nineteen too many.
 */
export class OriginGate {
  readonly #clock: Clock;
  #openAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until it opens; 0 when open. */
  closedForMs(): number {
    return Math.max(0, this.#openAt - this.#clock.now());
  }

  /** Closes it for this long from now; never shortens an earlier closure. */
  close(forMs: number): void {
    this.#openAt = Math.max(this.#openAt, this.#clock.now() + Math.min(forMs, MAX_GATE_MS));
  }

  /**
   * Waits until it is open. It may be closed again while waiting, for longer than before.
   * @param beforeWait - told each wait before it begins; throws to give up.
   */
  async pass(signal?: AbortSignal, beforeWait: (waitMs: number) => void = () => undefined): Promise<void> {
    for (let waitMs = this.closedForMs(); waitMs > 0; waitMs = this.closedForMs()) {
      beforeWait(waitMs);
      await sleep(this.#clock, waitMs, signal);
    }
  }
}
