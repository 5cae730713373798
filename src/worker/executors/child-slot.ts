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

  async #attempt(call: SlotCall): Promise<ModuleCallResult> {
    const { clock, random, tally, open } = this.#options;
    if (!this.#child?.alive)
      await backOff(clock, respawnDelayMs(tally.consecutiveCrashes, random), call.context.signal);
    const child = this.#child?.alive ? this.#child : (this.#child = open());
    return callLink(child, call, this.#options);
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
    await this.#child?.retire(clock, abortGraceMs);
    this.#child = undefined;
  }
}
