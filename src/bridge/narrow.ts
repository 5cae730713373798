import { OutOfMemoryTaskError } from '../worker/handler/task-errors.js';
import { HandlerAbortError } from '../worker/executors/joined-signal.js';
import type { BatchOutcome } from '../worker/executors/executor.js';
import {
  HandlerCrashError,
  HandlerTimeoutError,
  HandlerUnavailableError,
} from '../worker/executors/execution-errors.js';
import { PushFailureError, PushRetryableError } from './errors.js';

/** One call. @throws when it failed as a whole. */
type PushCall<Item> = (unit: readonly Item[]) => Promise<readonly BatchOutcome[]>;

/** What narrowing a failure down works with. */
export interface NarrowOptions<Item> {
  readonly call: PushCall<Item>;
  /** The unit by picture size, if it holds several. */
  readonly sizesOf: (unit: readonly Item[]) => Promise<readonly (readonly Item[])[]>;
  /** A unit of several sizes failed, and each size for itself went well. */
  readonly onMixedSizes: () => void;
}

/** Calls with one image alone, at most. */
const MAX_TRIES = 3;
/** From so many images on, a batch whose every image fails alone says more of the service than of the images. */
const SUSPICIOUS_IMAGES = 3;

/**
 * Calls the service with a unit, and narrows a failure down (PUSH_API §7.7): by picture size where sizes differ, by halves, to single
 * images, of which only those fail that fail alone. A single image is called once more before it is blamed, as an error result is final.
 * @returns one outcome an image, in order; never rejects.
 */
export async function narrow<Item>(
  unit: readonly Item[],
  options: NarrowOptions<Item>,
): Promise<readonly BatchOutcome[]> {
  const outcomes = new Map<Item, BatchOutcome>();
  await new Narrowing(options, outcomes, unit.length).all(unit);
  const all = unit.map((item) => outcomes.get(item) ?? { ok: false as const, error: undefined });
  const failed = all.every((outcome) => !outcome.ok && outcome.error instanceof PushFailureError);
  if (unit.length < SUSPICIOUS_IMAGES || !failed) return all;
  // A card in a bad state fails on everything until somebody restarts the service; final errors would cost whole jobs.
  return all.map((outcome) => ({
    ok: false,
    error: new PushRetryableError(
      `${outcome.ok ? '' : (outcome.error as Error).message} (it failed on each of ${unit.length} images)`,
    ),
  }));
}

class Narrowing<Item> {
  readonly #options: NarrowOptions<Item>;
  readonly #outcomes: Map<Item, BatchOutcome>;
  readonly #maxTimeouts: number;
  #timeouts = 0;
  /** Images that took too long since the last call that ended. */
  #suspects: Item[] = [];

  constructor(options: NarrowOptions<Item>, outcomes: Map<Item, BatchOutcome>, images: number) {
    this.#options = options;
    this.#outcomes = outcomes;
    // One bad image, first in its batch, costs as many as there are halvings; more than that is a service that ends no call.
    this.#maxTimeouts = Math.ceil(Math.log2(images)) + 1;
  }

  async all(unit: readonly Item[]): Promise<void> {
    await this.part(unit, unit.length === 1);
    if (this.#timeouts > this.#maxTimeouts) this.#giveUp([]);
  }

  /** @param again - whether a single image that fails is called once more. @returns whether all went well. */
  async part(unit: readonly Item[], again: boolean, tries = 1): Promise<boolean> {
    if (this.#timeouts > this.#maxTimeouts) return this.#giveUp(unit);
    let error: unknown;
    try {
      const outcomes = await this.#options.call(unit);
      unit.forEach((item, index) =>
        this.#outcomes.set(item, outcomes[index] ?? { ok: false, error: undefined }),
      );
      this.#timeouts = 0;
      this.#suspects = [];
      return true;
    } catch (thrown) {
      error = thrown;
    }
    if (error instanceof HandlerTimeoutError) this.#timeouts += 1;
    if (concernsAll(error)) return this.#fail(unit, error);
    if (unit.length > 1) return this.#cut(unit);
    if (error instanceof HandlerTimeoutError) this.#suspects.push(...unit);
    // One that takes too long would again, and memory that does not suffice for one image is tried again by the worker.
    const worthwhile = !(error instanceof HandlerTimeoutError) && !(error instanceof OutOfMemoryTaskError);
    // What was computed before it may have left a broken device behind: only a death under its first call convicts an image.
    const unconvicted =
      again || error instanceof PushRetryableError || (error instanceof HandlerCrashError && !error.fresh);
    if (unconvicted && worthwhile && tries < MAX_TRIES) return this.part(unit, false, tries + 1);
    return this.#fail(unit, error);
  }

  async #cut(unit: readonly Item[]): Promise<boolean> {
    const groups = await this.#options.sizesOf(unit);
    if (groups.length > 1) {
      const went: boolean[] = [];
      for (const group of groups) went.push(await this.part(group, false));
      if (went.every(Boolean)) this.#options.onMixedSizes();
      return went.every(Boolean);
    }
    const middle = Math.ceil(unit.length / 2);
    const head = await this.part(unit.slice(0, middle), false);
    return (await this.part(unit.slice(middle), false)) && head;
  }

  #giveUp(unit: readonly Item[]): false {
    const why = `the push service did not end ${this.#timeouts} calls in a row`;
    return this.#fail([...this.#suspects, ...unit], new HandlerUnavailableError(why));
  }

  #fail(unit: readonly Item[], error: unknown): false {
    for (const item of unit) this.#outcomes.set(item, { ok: false, error });
    return false;
  }
}

function concernsAll(error: unknown): boolean {
  return error instanceof HandlerUnavailableError || error instanceof HandlerAbortError;
}
