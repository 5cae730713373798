import type { Logger } from '../../log/logger.js';
import { callLink, type CallLimits, type HandlerLink } from './handler-link.js';
import type { ModuleCallResult, SlotCall } from './module-runner.js';
import { backOff, recycleReason, respawnDelayMs } from './respawn.js';
import type { ExecutorTally } from './tally.js';

/** What a slot works with. Durations in milliseconds. */
export interface ChildSlotOptions extends CallLimits {
  /** Starts a process. */
  readonly open: () => HandlerLink;
  readonly logger: Logger;
  readonly random: () => number;
  readonly tally: ExecutorTally;
  readonly limits: { readonly maxBatches: number; readonly maxRssBytes: number };
}

/** One place for a child process: whoever is called finds a living one, and the next one is not made to pay for the last. */
export class ChildSlot {
  readonly #options: ChildSlotOptions;
  #child: HandlerLink | undefined;
  #inside = 0;
  /** Calls that are over in this process. */
  #ended = 0;

  constructor(options: ChildSlotOptions) {
    this.#options = options;
  }

  /** Calls that it takes at the same time. A process that is to be replaced gets no more, or it would never be idle. */
  get room(): number {
    const { maxBatches, maxRssBytes } = this.#options.limits;
    const child = this.#child;
    if (!child?.alive || (maxRssBytes > 0 && child.age.rssBytes > maxRssBytes)) return 1;
    const ahead = child.ahead ?? 0;
    return maxBatches > 0 ? Math.min(1 + ahead, maxBatches - this.#ended) : 1 + ahead;
  }

  /**
   * Starts the process if it must, and runs the unit; without images it only gets ready.
   * @throws HandlerCrashError, HandlerStartError, HandlerTimeoutError, HandlerAbortError, CallReturnedError.
   */
  async call(call: SlotCall): Promise<ModuleCallResult> {
    this.#inside += 1;
    try {
      // A fresh call has the place for itself.
      if (call.fresh && this.#child?.alive && this.#child.age.batches > 0)
        await this.#replace('a fresh one is needed');
      return await this.#attempt(call);
    } finally {
      this.#inside -= 1;
      if (call.unit.length > 0) this.#ended += 1;
      if (this.#inside === 0) await this.#recycle();
    }
  }

  async close(graceMs: number): Promise<void> {
    await this.#child?.retire(this.#options.clock, graceMs);
    this.#child = undefined;
  }

  async #attempt(call: SlotCall): Promise<ModuleCallResult> {
    const { clock, random, tally, open } = this.#options;
    if (!this.#child?.alive)
      await backOff(clock, respawnDelayMs(tally.consecutiveCrashes, random), call.context.signal);
    if (!this.#child?.alive) {
      this.#child = open();
      this.#ended = 0;
    }
    return callLink(this.#child, call, this.#options);
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
    const { logger, clock, abortGraceMs } = this.#options;
    logger.info({ reason }, 'a handler process is replaced');
    const child = this.#child;
    await child?.retire(clock, abortGraceMs);
    if (this.#child === child) this.#child = undefined;
  }
}
