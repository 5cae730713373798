import type { Clock } from '../../../time/clock.js';

/** A moment on both of the machine's clocks. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** A larger difference between the two clocks than this is a suspend or a step, not drift (WORKER §3.1). */
const JUMP_MS = 1_000;

/**
 * Measures the age of leases. The monotonic clock stands still while the machine is suspended, which makes dead leases look alive; the
 * wall clock can be set back, which does the same. The larger of the two differences is never too young.
 */
export class LeaseClock {
  readonly #clock: Clock;
  #lastLook: Instant;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastLook = this.instant();
  }

  instant(): Instant {
    return { monotonicMs: this.#clock.now(), wallMs: this.#clock.wallNow() };
  }

  /** Milliseconds since then, at least. @param now - to look at many leases at one moment. */
  elapsedMs(since: Instant, now = this.instant()): number {
    return Math.max(this.monotonicElapsedMs(since, now), now.wallMs - since.wallMs);
  }

  /** Milliseconds since then without suspends and steps. */
  monotonicElapsedMs(since: Instant, now = this.instant()): number {
    return now.monotonicMs - since.monotonicMs;
  }

  /**
   * Compares the clocks since the last call.
   * @returns by how much the wall clock ran ahead (suspend, or set forward) or behind (negative: set back); undefined within
   * {@link JUMP_MS}.
   */
  takeJump(): number | undefined {
    const now = this.instant();
    const last = this.#lastLook;
    this.#lastLook = now;
    const jumpMs = now.wallMs - last.wallMs - (now.monotonicMs - last.monotonicMs);
    return Math.abs(jumpMs) > JUMP_MS ? jumpMs : undefined;
  }
}
