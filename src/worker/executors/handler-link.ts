import type { Clock } from '../../time/clock.js';
import type { TaskImage } from '../handler/handler.js';
import { callTimeoutMs } from './defaults.js';
import type { BatchContext, BatchOutcome } from './executor.js';
import { HandlerStartError } from './execution-errors.js';
import type { ModuleCallResult, SlotCall } from './module-runner.js';
import { relay } from './relay.js';
import type { ChildAge } from './respawn.js';
import { settle, Supervision } from './supervise.js';
import type { ControlMessage, WireReady } from './wire.js';

/** A call as a handler elsewhere gets it. */
export interface LinkCall {
  readonly unit: readonly TaskImage[];
  readonly context: BatchContext;
  /** For this call, in milliseconds; a handler may want to know. */
  readonly timeoutMs: number;
  /** To be called if another call is in front of it. */
  readonly onQueued: () => void;
  /** To be called when the handler has its images, and no other call is in front of it. */
  readonly onStarted: () => void;
}

/** One living handler in another process: a module in a child of ours, a program in any language, a notebook. */
export interface HandlerLink {
  /** Settles once the handler is loaded and warm. @throws HandlerStartError */
  readonly ready: Promise<WireReady>;
  readonly alive: boolean;
  readonly age: ChildAge;
  /** What it printed last, fit for a log. */
  readonly lastLines: readonly string[];
  /** Calls that it takes while one runs, so that their images are there when their turn comes. Default 0. */
  readonly ahead?: number | undefined;
  /**
   * Calls the handler. One call at a time, and as many more as it takes ahead.
   * @throws HandlerCrashError when the process dies under it; CallReturnedError when it dies before the call's turn.
   */
  run(call: LinkCall): Promise<readonly BatchOutcome[]>;
  /** @param call - which call is aborted: the same object that `run` was given. */
  control(message: ControlMessage, call?: LinkCall): void;
  /** Ends it now. */
  kill(): void;
  /** Lets an idle one end by itself, and ends it if it does not. */
  retire(clock: Clock, graceMs: number): Promise<void>;
}

/** Limits of one call, in milliseconds. */
export interface CallLimits {
  readonly clock: Clock;
  /** The executor's own, if it was given one. */
  readonly timeoutMs: number | undefined;
  readonly startTimeoutMs: number;
  readonly abortGraceMs: number;
}

/**
 * One watched call; without images it only waits until the handler is ready.
 * @throws HandlerCrashError, HandlerStartError, HandlerTimeoutError, HandlerAbortError, CallReturnedError.
 */
export async function callLink(
  link: HandlerLink,
  { unit, context }: SlotCall,
  limits: CallLimits,
): Promise<ModuleCallResult> {
  const timeoutMs = callTimeoutMs(context.timeoutMs, limits.timeoutMs);
  let killedBy: Error | undefined;
  const call: LinkCall = {
    unit,
    context,
    timeoutMs,
    onQueued: () => {
      supervision.waiting();
    },
    onStarted: () => {
      supervision.started();
    },
  };
  const supervision = new Supervision({
    ...limits,
    signals: [context.signal],
    timeoutMs,
    abort: ({ kind }) => {
      link.control({ type: 'abort', kind }, call);
    },
    kill: (error) => {
      killedBy = error;
      link.kill();
    },
  });
  const unlisten = relay(context.stopping, () => {
    link.control({ type: 'stopping' });
  });
  try {
    const ready = await link.ready;
    if (unit.length === 0) return { ready, outcomes: [] };
    // One that is aborted already must not be watched to its end beside a call that is not.
    if (supervision.verdict) throw supervision.verdict;
    const outcomes = await link.run(call);
    return { ready, outcomes: settle(outcomes, supervision.verdict) };
  } catch (error) {
    const why = killedBy ?? supervision.verdict ?? error;
    if (why instanceof HandlerStartError) throw why.with(link.lastLines);
    throw why;
  } finally {
    supervision.dispose();
    unlisten();
  }
}
