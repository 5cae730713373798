import type { Clock } from '../../time/clock.js';
import { HandlerChild, type ChildOptions } from './child.js';
import type { ModuleCallResult, SlotCall } from './module-runner.js';
import { relay } from './relay.js';
import { backOff, recycleReason, respawnDelayMs } from './respawn.js';
import { settle, Supervision } from './supervise.js';
import type { ExecutorTally } from './tally.js';
import { fromWireReply, toWireUnit } from './wire.js';

/** What a slot works with. Durations in milliseconds. */
export interface ChildSlotOptions {
  readonly child: ChildOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly tally: ExecutorTally;
  readonly limits: { readonly maxBatches: number; readonly maxRssBytes: number };
  readonly timeoutMs: number;
  readonly startTimeoutMs: number;
  readonly abortGraceMs: number;
}

/** One place for a child process: whoever is called finds a living one, and the next one is not made to pay for the last. */
export class ChildSlot {
  readonly #options: ChildSlotOptions;
  #child: HandlerChild | undefined;

  constructor(options: ChildSlotOptions) {
    this.#options = options;
  }

  /**
   * Starts the process if it must, and runs the unit; without images it only gets ready.
   * @throws HandlerCrashError, HandlerStartError, HandlerTimeoutError, HandlerAbortError.
   */
  async call(call: SlotCall): Promise<ModuleCallResult> {
    // Two in one process could not be told apart if it died.
    if (call.fresh && this.#child?.alive && this.#child.age.batches > 0)
      await this.#replace('a fresh one is needed');
    try {
      return await this.#attempt(call);
    } finally {
      await this.#recycle();
    }
  }

  async close(graceMs: number): Promise<void> {
    await this.#child?.retire(this.#options.clock, graceMs);
    this.#child = undefined;
  }

  async #attempt({ unit, context }: SlotCall): Promise<ModuleCallResult> {
    const { clock, random, tally, startTimeoutMs, abortGraceMs } = this.#options;
    if (!this.#child?.alive)
      await backOff(clock, respawnDelayMs(tally.consecutiveCrashes, random), context.signal);
    const child = this.#child?.alive ? this.#child : (this.#child = new HandlerChild(this.#options.child));
    let killedBy: Error | undefined;
    const supervision = new Supervision({
      clock,
      signals: [context.signal],
      timeoutMs: context.timeoutMs ?? this.#options.timeoutMs,
      startTimeoutMs,
      abortGraceMs,
      abort: ({ kind }) => {
        child.control({ type: 'abort', kind });
      },
      kill: (error) => {
        killedBy = error;
        child.kill();
      },
    });
    const unlisten = relay(context.stopping, () => {
      child.control({ type: 'stopping' });
    });
    try {
      const ready = await child.ready;
      if (unit.length === 0) return { ready, outcomes: [] };
      const onStarted = (): void => {
        supervision.started();
      };
      const reply = await child.run(toWireUnit(unit, context), onStarted, context.logger);
      return { ready, outcomes: settle(fromWireReply(reply), supervision.verdict) };
    } catch (error) {
      throw killedBy ?? supervision.verdict ?? error;
    } finally {
      supervision.dispose();
      unlisten();
    }
  }

  /** Memory that a library never gives back would end the machine; a fresh process costs one start. */
  async #recycle(): Promise<void> {
    const child = this.#child;
    const reason = child?.alive ? recycleReason(child.age, this.#options.limits) : undefined;
    if (reason !== undefined) {
      this.#options.tally.recycled();
      await this.#replace(reason);
    }
    if (!this.#child?.alive) this.#child = undefined;
  }

  async #replace(reason: string): Promise<void> {
    const { child, clock, abortGraceMs } = this.#options;
    child.logger.info({ reason }, 'a handler process is replaced');
    await this.#child?.retire(clock, abortGraceMs);
    this.#child = undefined;
  }
}
