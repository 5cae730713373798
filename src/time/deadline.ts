import { AntennaAbortError, AntennaTimeoutError, type TimeoutPhase } from '../errors/connection.js';
import type { Clock } from './clock.js';
import { LateController } from './late-controller.js';
import { onAbort } from './on-abort.js';

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
 * It ends early with the caller's signal. Whoever waits for its end hears of it through `onEnd`, or `signal` where an `AbortSignal` is
 * wanted.
 *
 * `dispose()` takes its timer and its listener away: a worker hands the same shutdown signal to a million calls.
 */
export class Deadline {
  readonly #outer: AbortSignal | undefined;
  readonly #cancelTimer: () => void;
  readonly #listeners = new Set<(reason: Error) => void>();
  readonly #controller = new LateController();
  #unlisten: (() => void) | undefined;
  #reason: Error | undefined;
  #phase: TimeoutPhase;

  constructor(options: DeadlineOptions) {
    this.#outer = options.signal;
    this.#phase = options.phase ?? 'token';
    this.#cancelTimer = options.clock.schedule(options.timeoutMs, () => {
      this.#end(new AntennaTimeoutError({ phase: this.#phase, timeoutMs: options.timeoutMs }));
    });
    if (this.#outer?.aborted) this.#onOuterAbort();
    else if (this.#outer)
      this.#unlisten = onAbort(this.#outer, () => {
        this.#onOuterAbort();
      });
  }

  /** Why it ended: an `AntennaTimeoutError` naming the phase, or an `AntennaAbortError` keeping the caller's reason. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /** Aborts when the time is over or the caller gave up, for the {@link reason}. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** @throws the {@link reason} once it has ended. */
  throwIfEnded(): void {
    if (this.#reason) throw this.#reason;
  }

  /**
   * Calls back with the {@link reason} when it ends; not if it has ended already.
   * @returns a function that takes the listener away.
   */
  onEnd(listener: (reason: Error) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** What is being waited for; a timeout names it. */
  enter(phase: TimeoutPhase): void {
    this.#phase = phase;
  }

  /** Waits for `work` no longer than the deadline, even if `work` ignores its signal. */
  race<Value>(work: Value | PromiseLike<Value>): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      const leave = this.onEnd(reject);
      // Also when it is too late: a failure of work that nobody looks at must not end the process as an unhandled rejection.
      const answer = Promise.resolve(work);
      answer.then(resolve, reject);
      answer.then(leave, leave);
      if (this.#reason) reject(this.#reason);
    });
  }

  /** Ends it early, for a reason of the caller's. */
  end(reason: Error): void {
    this.#cancelTimer();
    this.#end(reason);
  }

  dispose(): void {
    this.#cancelTimer();
    this.#unlisten?.();
  }

  #end(reason: Error): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#controller.abort(reason);
    for (const listener of this.#listeners) listener(reason);
    this.#listeners.clear();
  }

  #onOuterAbort(): void {
    this.#cancelTimer();
    const reason: unknown = this.#outer?.reason;
    // An outer deadline's reason already is one of ours; wrapping it again would hide the phase.
    const ours = reason instanceof AntennaTimeoutError || reason instanceof AntennaAbortError;
    this.#end(ours ? reason : new AntennaAbortError({ cause: reason }));
  }
}
