import type { Clock } from 'antenna-sdk';

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<{ readonly dueAt: number; readonly run: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, run: () => void): () => void {
    const timer = { dueAt: this.#nowMs + delayMs, run };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Timers that have not run: 0 when everything has cleaned up behind itself. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves the time, running what is due on the way, in order. */
  advance(ms: number): void {
    const until = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#timers]
        .filter(({ dueAt }) => dueAt <= until)
        .sort((a, b) => a.dueAt - b.dueAt);
      if (!next) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueAt);
      next.run();
    }
    this.#nowMs = until;
  }

  /** Lets the time pass with nothing running, as when a handler computes: what was due comes afterwards, and late. */
  block(ms: number): void {
    this.#nowMs += ms;
    this.advance(0);
  }
}
