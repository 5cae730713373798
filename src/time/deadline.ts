import { AntennaAbortError } from '../errors/abort.js';
import { AntennaTimeoutError, type TimeoutPhase } from '../errors/timeout.js';
import type { Clock } from './clock.js';

/** What a {@link Deadline} needs to know. */
export interface DeadlineOptions {
  readonly clock: Clock;
  /** Milliseconds from now until the deadline. */
  readonly timeoutMs: number;
  /** The caller's signal, or the outer deadline's. Its abort ends this deadline too. */
  readonly signal?: AbortSignal | undefined;
  /** Reported instead of the phase when the time runs out, for a deadline over several attempts. */
  readonly phase?: TimeoutPhase;
}

/**
 * One deadline from the first need of a token to the last byte of the body. A timeout that ends with the headers leaves a
 * stalled body hanging for ever: the most reported fault of HTTP clients.
 *
 * It owns one signal, which aborts with an `AntennaTimeoutError` naming the phase, or an `AntennaAbortError` keeping the caller's
 * reason. `dispose()` takes its timer and its listener away: a worker hands the same shutdown signal to a million calls.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #expiresAt: number;
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #cancelTimer: () => void;
  #phase: TimeoutPhase;

  constructor(options: DeadlineOptions) {
    this.#clock = options.clock;
    this.#expiresAt = options.clock.now() + options.timeoutMs;
    this.#outer = options.signal;
    this.#phase = options.phase ?? 'token';
    this.#cancelTimer = options.clock.schedule(options.timeoutMs, () => {
      this.#controller.abort(new AntennaTimeoutError({ phase: this.#phase, timeoutMs: options.timeoutMs }));
    });
    if (this.#outer?.aborted) this.#onOuterAbort();
    else this.#outer?.addEventListener('abort', this.#onOuterAbort, { once: true });
  }

  /** Aborts when the time is over or the caller gave up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What is being waited for; a timeout names it. */
  enter(phase: TimeoutPhase): void {
    this.#phase = phase;
  }

  /** Milliseconds left, never below zero. */
  remainingMs(): number {
    return Math.max(0, this.#expiresAt - this.#clock.now());
  }

  /** Waits for `work` no longer than the deadline, even if `work` ignores its signal. */
  async race<Value>(work: Value | PromiseLike<Value>): Promise<Value> {
    const { signal } = this;
    if (signal.aborted) {
      // Work that nobody waits for any more may still fail, and a rejection that nobody handles ends the process.
      Promise.resolve(work).catch(() => undefined);
      throw signal.reason;
    }
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => {
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([work, aborted]);
    } finally {
      if (onAbort) signal.removeEventListener('abort', onAbort);
    }
  }

  dispose(): void {
    this.#cancelTimer();
    this.#outer?.removeEventListener('abort', this.#onOuterAbort);
  }

  readonly #onOuterAbort = (): void => {
    this.#cancelTimer();
    const reason: unknown = this.#outer?.reason;
    // An outer deadline's reason already is one of ours; wrapping it again would hide the phase.
    const ours = reason instanceof AntennaTimeoutError || reason instanceof AntennaAbortError;
    this.#controller.abort(ours ? reason : new AntennaAbortError({ cause: reason }));
  };
}
