import { checkRun, checkWarmUp } from './call-arguments.js';
import { checkOptions, isClock, isDuration, isFunction, isWait, type Check } from '../../errors/arguments.js';
import { systemClock, type Clock } from '../../time/clock.js';
import { LateController } from '../../time/late-controller.js';
import type { ProcessContext, TaskImage } from '../handler/handler.js';
import { HandlerAbortError, sharedController } from './joined-signal.js';
import { callTimeoutMs, EXECUTOR_DEFAULTS } from './defaults.js';
import type { BatchContext, BatchOutcome, Executor, ExecutorStats } from './executor.js';
import { HandlerStartError, HandlerTimeoutError } from './execution-errors.js';
import { callHandlers, callWarmUp, modeOf, type Handlers } from './handlers.js';
import { runUnits } from './run-units.js';
import { settle, Supervision } from './supervise.js';

/** Options of {@link InlineExecutor}: the handlers, and limits in milliseconds. */
export interface InlineExecutorOptions extends Handlers {
  /** For one call of the handler; in a worker its `processTimeoutMs` counts if that is shorter. Default 300,000. */
  readonly timeoutMs?: number | undefined;
  /** From an abort until the call is given up. Default 1,000. */
  readonly abortGraceMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

const OPTIONS: { readonly [Name in keyof Required<InlineExecutorOptions>]: Check } = {
  process: isFunction,
  processBatch: isFunction,
  warmUp: isFunction,
  timeoutMs: isDuration,
  abortGraceMs: isWait,
  clock: isClock,
};

/**
 * Runs the handler in the worker's own thread: right for handlers that wait (a remote GPU, a native library with threads of its own).
 * One that computes in JavaScript blocks heartbeats and posts meanwhile and belongs in a thread.
 *
 * A call that is given up goes on in the background, since nothing can end it; its answer is ignored.
 */
export class InlineExecutor implements Executor {
  readonly kind = 'inline';
  readonly endsEveryCall = true;
  readonly #options: InlineExecutorOptions;
  readonly #clock: Clock;
  readonly #closing = sharedController();
  readonly #running = new Set<Promise<unknown>>();
  readonly #calls = new Set<Supervision>();
  #timeouts = 0;

  /** @throws AntennaConfigError naming every wrong option. */
  constructor(options: InlineExecutorOptions) {
    checkOptions('Invalid executor options', options, OPTIONS);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async warmUp(context?: ProcessContext): Promise<number | undefined> {
    checkWarmUp(context);
    if (!context) return undefined;
    try {
      return await callWarmUp(this.#options, { stopping: this.#closing.signal, ...context });
    } catch (error) {
      throw new HandlerStartError(
        `warmUp failed: ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
        },
      );
    }
  }

  async run(batch: readonly TaskImage[], context: BatchContext): Promise<readonly BatchOutcome[]> {
    checkRun(batch, context);
    const attempt = (unit: readonly TaskImage[]): Promise<readonly BatchOutcome[]> =>
      this.#attempt(unit, context);
    const work = runUnits(batch, modeOf(this.#options), attempt, context.onAttempt);
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }

  async close(): Promise<void> {
    const reason = new HandlerAbortError('shutdown');
    this.#closing.abort(reason);
    for (const call of this.#calls) call.abort(reason);
    await Promise.all(this.#running);
  }

  stats(): ExecutorStats {
    const counts = { crashes: 0, consecutiveCrashes: 0, timeouts: this.#timeouts, recycles: 0 };
    return { kind: this.kind, busy: this.#running.size, ...counts };
  }

  async #attempt(unit: readonly TaskImage[], context: BatchContext): Promise<readonly BatchOutcome[]> {
    const { signal: closing } = this.#closing;
    if (closing.aborted) throw closing.reason;
    const handlerAbort = new LateController();
    let giveUp: (error: Error) => void = () => undefined;
    const call = new Supervision({
      clock: this.#clock,
      signals: [context.signal],
      timeoutMs: callTimeoutMs(context.timeoutMs, this.#options.timeoutMs),
      abortGraceMs: this.#options.abortGraceMs ?? EXECUTOR_DEFAULTS.abortGraceMs,
      abort: (reason) => {
        handlerAbort.abort(reason);
      },
      kill: (error) => {
        giveUp(error);
      },
    });
    this.#calls.add(call);
    try {
      if (call.verdict) throw call.verdict;
      call.started();
      const { stopping = closing, config, logger, deadline } = context;
      const given = {
        // An accessor in the place of a copied value would make an object of the slow kind, for every call.
        get signal() {
          return handlerAbort.signal;
        },
        stopping,
        config,
        logger,
        deadline,
      };
      const outcomes = await new Promise<readonly BatchOutcome[]>((resolve, reject) => {
        giveUp = reject;
        callHandlers(this.#options, unit, given).then(resolve, reject);
      });
      return settle(outcomes, call.verdict);
    } catch (error) {
      throw call.verdict ?? error;
    } finally {
      if (call.verdict instanceof HandlerTimeoutError) this.#timeouts += 1;
      call.dispose();
      this.#calls.delete(call);
    }
  }
}
