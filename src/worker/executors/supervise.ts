import type { Clock } from '../../time/clock.js';
import { onAbort } from '../../time/on-abort.js';
import { abortReason, HandlerAbortError } from './joined-signal.js';
import type { BatchOutcome } from './executor.js';
import { HandlerStartError, HandlerTimeoutError } from './execution-errors.js';

/** What a call of a handler is watched with. Durations in milliseconds. */
export interface SupervisionOptions {
  readonly clock: Clock;
  /** The call ends when one of them aborts. */
  readonly signals: readonly AbortSignal[];
  /** From `started()` on. */
  readonly timeoutMs: number;
  /** Until `started()` or `waiting()`. Default: it starts at once. */
  readonly startTimeoutMs?: number | undefined;
  /** From the abort of the handler's signal to the kill. */
  readonly abortGraceMs: number;
  /** Tells the handler, which may still end well. */
  readonly abort: (reason: HandlerAbortError) => void;
  /** Ends the call whatever the handler does; it fails with `error`. */
  readonly kill: (error: Error) => void;
}

/**
 * Watches one call of a handler: first its start, then its time and the signals. A handler is told first and ended after a grace,
 * because one that never looks at its signal, or never gives its thread back, must not keep a slot for ever.
 */
export class Supervision {
  readonly #options: SupervisionOptions;
  #unlisten: readonly (() => void)[] = [];
  #cancelTimer: () => void = nothing;
  #verdict: Error | undefined;

  constructor(options: SupervisionOptions) {
    this.#options = options;
    const { clock, startTimeoutMs, kill, signals } = options;
    if (startTimeoutMs !== undefined) {
      this.#cancelTimer = clock.schedule(startTimeoutMs, () => {
        kill(new HandlerStartError(`the handler was not ready after ${startTimeoutMs} ms`));
      });
    }
    if (signals.some(({ aborted }) => aborted)) this.#onAbort();
    else this.#unlisten = signals.map((signal) => onAbort(signal, this.#onAbort));
  }

  /** Why the call was aborted, if it was: the error of a call that then fails in its own way. */
  get verdict(): Error | undefined {
    return this.#verdict;
  }

  /** It is behind another call, whose time is watched: its own begins when its turn comes. */
  waiting(): void {
    if (!this.#verdict) this.#cancelTimer();
  }

  /** The handler has its images: from now on its time counts. */
  started(): void {
    if (this.#verdict) return;
    const { clock, timeoutMs } = this.#options;
    this.#cancelTimer();
    this.#cancelTimer = clock.schedule(timeoutMs, () => {
      this.#end(new HandlerAbortError('timeout'), new HandlerTimeoutError(timeoutMs));
    });
  }

  /** Ends the call as an abort of a signal does. */
  abort(reason: HandlerAbortError): void {
    if (!this.#verdict) this.#end(reason, reason);
  }

  /** The call is over: takes the timer and the listeners away. */
  dispose(): void {
    this.#cancelTimer();
    for (const unlisten of this.#unlisten) unlisten();
  }

  readonly #onAbort = (): void => {
    const signal = this.#options.signals.find(({ aborted }) => aborted);
    if (signal) this.abort(abortReason(signal));
  };

  #end(reason: HandlerAbortError, verdict: Error): void {
    const { clock, abortGraceMs, abort, kill } = this.#options;
    this.#verdict = verdict;
    this.#cancelTimer();
    this.#cancelTimer = clock.schedule(abortGraceMs, () => {
      kill(verdict);
    });
    abort(reason);
  }
}

function nothing(): void {
  // Until something is scheduled.
}

/** A success that came after the abort is a success; a failure after it has the abort as its cause. */
export function settle(
  outcomes: readonly BatchOutcome[],
  verdict: Error | undefined,
): readonly BatchOutcome[] {
  if (!verdict) return outcomes;
  return outcomes.map((outcome) => (outcome.ok ? outcome : { ok: false, error: verdict }));
}
