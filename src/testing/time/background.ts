import type { Clock } from './clock.js';

interface DelayedWork {
  readonly dueAt: number;
  readonly run: () => void;
}

/**
 * What the real server hands to Celery: work that happens after the answer was given. Work without delay runs at the end of
 * the request that caused it, once its answer is composed; delayed work runs on the clock, in order of arrival.
 */
export class Background {
  readonly #clock: Clock;
  #immediate: (() => void)[] = [];
  readonly #delayed = new Set<DelayedWork>();
  #running = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Number of pieces of work that have not run. */
  get size(): number {
    return this.#immediate.length + this.#delayed.size;
  }

  enqueue(delayMs: number, run: () => void): void {
    if (delayMs <= 0) {
      this.#immediate.push(run);
      return;
    }
    const work = { dueAt: this.#clock.now() + delayMs, run };
    this.#delayed.add(work);
    this.#clock.schedule(delayMs, () => {
      if (this.#delayed.delete(work)) work.run();
      this.runDue();
    });
  }

  /** Runs the work that waits only for the current request to end. */
  runDue(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#immediate.length > 0) {
        const batch = this.#immediate;
        this.#immediate = [];
        for (const run of batch) run();
      }
    } finally {
      this.#running = false;
    }
  }

  /** Runs everything, due or not, including work that this work adds. */
  runAll(): void {
    this.runDue();
    while (this.#delayed.size > 0) {
      const batch = [...this.#delayed].sort((a, b) => a.dueAt - b.dueAt);
      this.#delayed.clear();
      for (const work of batch) {
        work.run();
        this.runDue();
      }
    }
  }

  clear(): void {
    this.#immediate = [];
    this.#delayed.clear();
  }
}
