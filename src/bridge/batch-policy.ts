import { batchFor, COST_WINDOW, fitCost, postingMs, type CallCost, type CallSample } from './cost.js';

/** Calls at the learned cap before one more image is tried. */
const PROBE_AFTER = 20;

/** How many images the next call of one pipeline takes, from the calls before it. */
export class BatchPolicy {
  readonly #maxBatchSize: number;
  #samples: CallSample[] = [];
  #cost: CallCost | undefined;
  #leaseMs = 0;
  #cap: number;
  #atCap = 0;
  #groupBySize = false;

  constructor(maxBatchSize: number) {
    this.#maxBatchSize = maxBatchSize;
    this.#cap = maxBatchSize;
  }

  /** What a call costs; undefined before the first. */
  get cost(): CallCost | undefined {
    return this.#cost;
  }

  /** Whether the service has failed on pictures of different sizes in one call. */
  get groupBySize(): boolean {
    return this.#groupBySize;
  }

  /** Images that are worth collecting, if their leases have just begun. */
  get wanted(): number {
    return this.next(this.#leaseMs);
  }

  /** @param remainingMs - of the shortest lease in the batch. */
  next(remainingMs: number): number {
    this.#leaseMs = Math.max(this.#leaseMs, Number.isFinite(remainingMs) ? remainingMs : 0);
    const keepMs = postingMs(this.#leaseMs);
    // As the worker plans with three quarters of a lease: the rest is for what cannot be measured.
    const fullRoomMs = 0.75 * this.#leaseMs - keepMs;
    return batchFor(this.#cost, { roomMs: remainingMs - keepMs, fullRoomMs, cap: this.#cap });
  }

  /** A call went well. */
  measured(sample: CallSample): void {
    this.#samples = [...this.#samples, sample].slice(-COST_WINDOW);
    this.#cost = fitCost(this.#samples);
    this.#atCap = sample.images >= this.#cap ? this.#atCap + 1 : 0;
    if (this.#atCap < PROBE_AFTER || this.#cap >= this.#maxBatchSize) return;
    this.#cap += 1;
    this.#atCap = 0;
  }

  /** The memory did not suffice for so many. */
  tooLarge(images: number): void {
    this.#cap = Math.max(1, Math.min(this.#cap, images >> 1));
    this.#atCap = 0;
  }

  /** It took the pictures size by size, and not together. */
  failedOnMixedSizes(): void {
    this.#groupBySize = true;
  }
}
