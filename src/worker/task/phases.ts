import { setMaxListeners } from 'node:events';
import { AntennaError } from '../../errors/base.js';
import type { Clock } from '../../time/clock.js';

/** How long a reservation in flight is waited for at a stop: the server may already have leased the tasks (WORKER §3.4). */
const RESERVE_CUTOFF_MS = 5_000;
/** Time kept for posting at the end of the grace period; a fifth of a short one. */
const FLUSH_MS = 5_000;

/**
 * The phases in which a run ends, each a signal: stop reserving (`drain`), start nothing more (`flush`), abort everything (`hard`).
 * Each has a deadline, so that a run always ends.
 */
export class Phases {
  readonly #clock: Clock;
  readonly #drain = new AbortController();
  readonly #cutoff = new AbortController();
  readonly #flush = new AbortController();
  readonly #hard = new AbortController();
  readonly #onEnter: (phase: 'draining' | 'stopping') => void;
  #cancelTimers: (() => void)[] = [];
  #startBefore = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, onEnter: (phase: 'draining' | 'stopping') => void) {
    this.#clock = clock;
    this.#onEnter = onEnter;
    // Every download, handler call and post in flight listens; Node would take that for a leak.
    for (const { signal } of [this.#drain, this.#cutoff, this.#flush, this.#hard]) setMaxListeners(0, signal);
  }

  /** Aborts when no more tasks are to be taken. */
  get drain(): AbortSignal {
    return this.#drain.signal;
  }

  /** Aborts a little later: a reservation in flight has no more time. */
  get reserveCutoff(): AbortSignal {
    return this.#cutoff.signal;
  }

  /** Aborts when nothing may be started any more. */
  get flush(): AbortSignal {
    return this.#flush.signal;
  }

  /** Aborts when everything is over. */
  get hard(): AbortSignal {
    return this.#hard.signal;
  }

  /** Whether work of this length would end before the time for posting begins. */
  mayStart(durationMs: number): boolean {
    return !this.flush.aborted && this.#clock.now() + durationMs <= this.#startBefore;
  }

  /**
   * Begins to end the run; called again, it may only shorten the time that is left.
   * @param graceMs - until everything is aborted; undefined for no limit, 0 for at once.
   */
  stop(graceMs: number | undefined): void {
    if (!this.drain.aborted) {
      this.#onEnter('draining');
      this.#drain.abort(reason('worker_stopping', 'The worker is stopping'));
      this.#schedule(Math.min(RESERVE_CUTOFF_MS, graceMs ?? RESERVE_CUTOFF_MS), () => {
        this.#cutoff.abort(reason('worker_stopping', 'The worker is stopping and waits no longer for tasks'));
      });
    }
    if (graceMs === undefined) return;
    if (graceMs <= 0) {
      this.abort();
      return;
    }
    const flushMs = Math.min(FLUSH_MS, graceMs / 5);
    this.#startBefore = Math.min(this.#startBefore, this.#clock.now() + graceMs - flushMs);
    this.#schedule(graceMs - flushMs, () => {
      this.#flush.abort(reason('worker_stopping', 'The worker is stopping and only posts what is computed'));
    });
    this.#schedule(graceMs, () => {
      this.abort();
    });
  }

  /** Everything ends now. */
  abort(): void {
    if (this.hard.aborted) return;
    if (!this.drain.aborted) this.#onEnter('draining');
    this.#onEnter('stopping');
    const why = reason('worker_shutdown', 'The worker had to end before its work was done');
    for (const controller of [this.#drain, this.#cutoff, this.#flush, this.#hard]) controller.abort(why);
    this.dispose();
  }

  dispose(): void {
    for (const cancel of this.#cancelTimers) cancel();
    this.#cancelTimers = [];
  }

  #schedule(delayMs: number, run: () => void): void {
    this.#cancelTimers.push(this.#clock.schedule(delayMs, run));
  }
}

function reason(code: string, message: string): AntennaError {
  return new AntennaError({ code, message });
}
