import type { Logger } from '../../log/logger.js';
import { systemClock, type Clock } from '../../time/clock.js';
import { ChildSlot } from './child-slot.js';
import { EXECUTOR_DEFAULTS } from './defaults.js';
import type { ExecutorStats } from './executor.js';
import type { HandlerLink } from './handler-link.js';
import { ModuleRunner } from './module-runner.js';
import { ExecutorTally } from './tally.js';

type PoolOptions = { readonly [Name in keyof typeof EXECUTOR_DEFAULTS]?: number | undefined } & {
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
};

/** The child processes of an executor, whatever program they run. */
export class ChildPool {
  readonly runner: ModuleRunner<ChildSlot>;
  readonly #abortGraceMs: number;
  readonly #places: readonly ChildSlot[];
  readonly #tally = new ExecutorTally();

  /**
   * @param open - starts the process of a place, counted from 0.
   * @param roomOf - calls that a place takes at the same time. Default 1.
   */
  constructor(
    open: (index: number) => HandlerLink,
    logger: Logger,
    options: PoolOptions,
    roomOf?: (place: ChildSlot) => number,
  ) {
    const of = { ...EXECUTOR_DEFAULTS, clock: systemClock, random: Math.random, ...defined(options) };
    const { clock, random, startTimeoutMs, abortGraceMs, maxBatches, maxRssBytes } = of;
    const slot = {
      ...{ logger, clock, random, timeoutMs: options.timeoutMs, startTimeoutMs, abortGraceMs },
      tally: this.#tally,
      limits: { maxBatches, maxRssBytes },
    };
    this.#abortGraceMs = abortGraceMs;
    this.#places = Array.from(
      { length: of.processes },
      (_, index) => new ChildSlot({ ...slot, open: () => open(index) }),
    );
    this.runner = new ModuleRunner(this.#places, this.#tally, (place, call) => place.call(call), roomOf);
  }

  /** @param graceMs - for processes to end by themselves. Default: that of an abort. */
  async close(graceMs = this.#abortGraceMs): Promise<void> {
    await this.runner.close();
    await Promise.all(this.#places.map((place) => place.close(graceMs)));
  }

  stats(kind: ExecutorStats['kind']): ExecutorStats {
    return this.#tally.stats(kind, this.runner.busy);
  }
}

/** An option that is given as undefined is not given. */
function defined<Options extends object>(
  options: Options,
): { [Name in keyof Options]: NonNullable<Options[Name]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
