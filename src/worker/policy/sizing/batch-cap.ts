import { OutOfMemoryTaskError } from '../../handler/task-errors.js';

/** How one call of a handler ended; see `BatchAttempt` of the executors. */
export interface TrialAttempt {
  readonly images: readonly { readonly id: string }[];
  /** Undefined if the call went well. */
  readonly error: unknown;
}

/** Why batches became smaller. */
type BatchCutReason = 'failed' | 'out-of-memory';

/** What a batch taught: the next ones should hold no more images than that. */
export interface BatchLesson {
  readonly limit: number;
  readonly reason: BatchCutReason;
}

interface Call {
  readonly ids: ReadonlySet<string>;
  readonly size: number;
  readonly error: unknown;
}

/** One batch and all calls that were made of it. */
export class BatchTrial {
  readonly #calls: Call[] = [];

  /** Calls so far. */
  get count(): number {
    return this.#calls.length;
  }

  /** Images of the largest call; 0 before the first. */
  get size(): number {
    return Math.max(0, ...this.#calls.map(({ size }) => size));
  }

  /** Every call went well. */
  get wentWell(): boolean {
    return this.#calls.every(({ error }) => error === undefined);
  }

  add({ images, error }: TrialAttempt): void {
    this.#calls.push({ ids: new Set(images.map(({ id }) => id)), size: images.length, error });
  }

  /** Images of the smallest call that an image was in. */
  smallestWith(id: string): number | undefined {
    const sizes = this.#calls.filter(({ ids }) => ids.has(id)).map(({ size }) => size);
    return sizes.length === 0 ? undefined : Math.min(...sizes);
  }

  /**
   * What follows for the next batches, if anything does. A call that failed while all parts of it went well was too large: what went well
   * is the limit. If one of its images fails alone, that image explains the failure; want of memory, which is no fault of an image unless
   * it is a giant, then makes the next batches half as large and not as small as the search for it.
   */
  lesson(): BatchLesson | undefined {
    const top = this.size;
    let lesson: BatchLesson | undefined;
    for (const failed of this.#calls) {
      if (failed.error === undefined || failed.size < 2) continue;
      const full = failed.error instanceof OutOfMemoryTaskError;
      const largest = this.#largestPart(failed);
      let limit = largest;
      if (this.#isExplained(failed)) {
        if (!full || failed.size < top) continue;
        limit = Math.max(largest, failed.size >> 1);
      }
      if (limit < (lesson?.limit ?? Number.POSITIVE_INFINITY))
        lesson = { limit, reason: full ? 'out-of-memory' : 'failed' };
    }
    return lesson;
  }

  #partsOf(whole: Call): readonly Call[] {
    return this.#calls.filter(
      ({ ids, size }) => size < whole.size && [...ids].every((id) => whole.ids.has(id)),
    );
  }

  #largestPart(whole: Call): number {
    return Math.max(0, ...this.#partsOf(whole).map(({ size, error }) => (error === undefined ? size : 0)));
  }

  /** Some image failed alone, or never came to a call that went well. */
  #isExplained(whole: Call): boolean {
    const parts = this.#partsOf(whole);
    if (parts.some(({ size, error }) => size === 1 && error !== undefined)) return true;
    const good = parts.filter(({ error }) => error === undefined);
    return [...whole.ids].some((id) => !good.some(({ ids }) => ids.has(id)));
  }
}

/** Batches of full size that must go well before one image more is tried. */
const GROW_AFTER = 20;

/** A new limit and where it comes from. */
export interface BatchCapChange {
  readonly from: number;
  readonly to: number;
  readonly reason: BatchCutReason | 'grown';
}

/**
 * The largest batch that is tried. Several processes share a graphics card, so what fits changes while the worker runs: a batch that failed
 * as a whole is not tried again at its size at once, and the limit comes back in steps of one image.
 */
export class BatchCap {
  #limit = Number.POSITIVE_INFINITY;
  /** The limit at which so many batches went well that one image more was tried; 0 since it was cut below that. */
  #proven = 0;
  #successes = 0;

  /** Images in one call at most; infinite unless a batch was too large. */
  get limit(): number {
    return this.#limit;
  }

  /**
   * Learns from a batch that is over.
   * @param wanted - the batch size of the pipeline, above which there is nothing to grow for.
   */
  learn(trial: BatchTrial, wanted: number): BatchCapChange | undefined {
    const from = Math.min(this.#limit, wanted);
    const lesson = trial.lesson();
    if (lesson) return this.#cut(from, trial.size, lesson);
    if (this.#limit >= wanted || !trial.wentWell || trial.size < this.#limit) return undefined;
    this.#successes += 1;
    if (this.#successes < GROW_AFTER) return undefined;
    this.#successes = 0;
    this.#proven = this.#limit;
    this.#limit += 1;
    return { from, to: this.#limit, reason: 'grown' };
  }

  #cut(from: number, size: number, { limit, reason }: BatchLesson): BatchCapChange | undefined {
    this.#successes = 0;
    // One image more than what went well twenty times was one too many; its halves say nothing new.
    const known = size > this.#proven ? this.#proven : 0;
    const to = Math.max(limit, known);
    // Another lane may have learned more.
    if (to >= from) return undefined;
    this.#limit = to;
    if (to < this.#proven) this.#proven = 0;
    return { from, to, reason };
  }
}
