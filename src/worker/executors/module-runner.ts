import { checkRun, checkWarmUp } from './call-arguments.js';
import { silentLogger } from '../../log/logger.js';
import type { ProcessContext, TaskImage } from '../handler/handler.js';
import { abortReason, HandlerAbortError, JoinedSignal, sharedController } from './joined-signal.js';
import type { BatchContext, BatchOutcome } from './executor.js';
import { CallReturnedError, HandlerStartError } from './execution-errors.js';
import { failAll } from './isolate.js';
import { runUnits } from './run-units.js';
import { Slots } from './slots.js';
import type { ExecutorTally } from './tally.js';
import type { WireReady } from './wire.js';

/** What came of a call: outcomes in order, none if there were no images, and what is now known of the handler. */
export interface ModuleCallResult {
  readonly ready: WireReady;
  readonly outcomes: readonly BatchOutcome[];
}

/** A call as a slot gets it. */
export interface SlotCall {
  /** Empty: only get ready. */
  readonly unit: readonly TaskImage[];
  readonly context: BatchContext;
  /** Run it where nothing has run before, if that can be had. */
  readonly fresh: boolean;
}

/**
 * Runs a call in a slot.
 * @throws when the unit failed as a whole.
 */
export type ModuleCall<Slot> = (slot: Slot, call: SlotCall) => Promise<ModuleCallResult>;

/** What threads and processes have in common: a handler module in each of a few slots, and batches that come and go. */
export class ModuleRunner<Slot> {
  readonly #places: readonly Slot[];
  readonly #slots: Slots<Slot>;
  readonly #moduleCall: ModuleCall<Slot>;
  readonly #tally: ExecutorTally;
  readonly #closing = sharedController();
  readonly #running = new Set<Promise<unknown>>();
  #ready: WireReady | undefined;

  /** @param roomOf - calls that a place takes at the same time. Default 1. */
  constructor(
    places: readonly Slot[],
    tally: ExecutorTally,
    call: ModuleCall<Slot>,
    roomOf?: (slot: Slot) => number,
  ) {
    this.#places = places;
    this.#slots = new Slots(places, roomOf);
    this.#tally = tally;
    this.#moduleCall = call;
  }

  get busy(): number {
    return this.#slots.busy;
  }

  /** As {@link Executor.warmUp}. */
  async warmUp(context: ProcessContext | undefined): Promise<number | undefined> {
    checkWarmUp(context);
    const sources = context ? [this.#closing.signal, context.signal] : [this.#closing.signal];
    const joined = new JoinedSignal(sources);
    const deadline = { remainingMs: () => Number.POSITIVE_INFINITY };
    const start = { config: {}, logger: silentLogger, deadline, ...context, signal: joined.signal };
    try {
      await Promise.all(this.#places.map(() => this.#call([], start)));
    } catch (error) {
      throw error instanceof HandlerStartError ? error.spelledOut() : error;
    } finally {
      joined.dispose();
    }
    return this.#ready?.warmMs;
  }

  /** As {@link Executor.run}. */
  async run(batch: readonly TaskImage[], context: BatchContext): Promise<readonly BatchOutcome[]> {
    checkRun(batch, context);
    const joined = new JoinedSignal([this.#closing.signal, context.signal]);
    const work = this.#run(batch, { ...context, signal: joined.signal });
    this.#running.add(work);
    try {
      return await work;
    } finally {
      joined.dispose();
      this.#running.delete(work);
    }
  }

  /** Aborts what runs and waits for it; calls that come later are refused. */
  async close(): Promise<void> {
    this.#closing.abort(new HandlerAbortError('shutdown'));
    await Promise.all(this.#running);
  }

  async #run(batch: readonly TaskImage[], context: BatchContext): Promise<readonly BatchOutcome[]> {
    try {
      // Whether it takes images or batches is known only once it is loaded.
      this.#ready ??= (await this.#call([], context)).ready;
    } catch (error) {
      return failAll(batch, error);
    }
    return runUnits(
      batch,
      this.#ready.mode,
      async (unit, fresh) => (await this.#call(unit, context, fresh)).outcomes,
      context.onAttempt,
    );
  }

  async #call(unit: readonly TaskImage[], context: BatchContext, fresh = false): Promise<ModuleCallResult> {
    const { signal } = context;
    const work = async (slot: Slot): Promise<ModuleCallResult> => {
      try {
        const result = await this.#moduleCall(slot, { unit, context, fresh });
        this.#ready = result.ready;
        this.#tally.succeeded();
        return result;
      } catch (error) {
        this.#tally.failed(error);
        throw error;
      }
    };
    for (let returned = false; ; returned = true) {
      try {
        return await this.#slots.with(signal, () => abortReason(signal), work, {
          alone: fresh,
          first: returned,
        });
      } catch (error) {
        // Nobody looked at the images: that is no attempt.
        if (!(error instanceof CallReturnedError)) throw error;
      }
    }
  }
}
