/**
 * How many downloads run side by side: one more while all are in use and go well, half as many after a failure that may be overload
 * (AIMD, as TCP does it).
 */
export class AdaptiveSlots {
  readonly #max: number;
  #limit: number;

  constructor(max: number, start = 4) {
    this.#max = max;
    this.#limit = Math.min(start, max);
  }

  get limit(): number {
    return this.#limit;
  }

  /** @param allInUse - more slots than are used teach nothing. */
  succeeded(allInUse: boolean): void {
    if (allInUse) this.#limit = Math.min(this.#max, this.#limit + 1);
  }

  /** A failure that may pass: a timeout, a reset, a 429 or 5xx of the image server. */
  struggled(): void {
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }
}

/** Bytes in one post, unless a single result is larger: well below the documented proxy limit of 100 MB (WORKER §3.6). */
export const MAX_POST_BYTES = 8 * 1024 * 1024;
/** Results in one post at most (WORKER §3.6). */
export const MAX_POST_RESULTS = 50;
/** Accepted posts after which a learned cap may grow again. */
const GROW_AFTER = 20;

/**
 * How many bytes a post may have: the configured size, lowered by every 413 to half of what was refused, though not below what was
 * accepted before, and raised slowly by successes.
 */
export class BodyCap {
  readonly #configuredBytes: number;
  #bytes: number;
  #largestAccepted = 0;
  #successes = 0;

  constructor(configuredBytes: number = MAX_POST_BYTES) {
    this.#configuredBytes = configuredBytes;
    this.#bytes = configuredBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A 413 for a post of this size. */
  tooLarge(attemptedBytes: number): void {
    // What was accepted once and is refused now means that the proxy has changed its mind.
    if (this.#largestAccepted >= attemptedBytes) this.#largestAccepted = 0;
    const lowered = Math.max(Math.floor(attemptedBytes / 2), this.#largestAccepted);
    this.#bytes = Math.max(1, Math.min(this.#bytes, lowered));
    this.#successes = 0;
  }

  /** A post of this size was accepted. */
  accepted(bytes: number): void {
    this.#largestAccepted = Math.max(this.#largestAccepted, bytes);
    if (this.#bytes >= this.#configuredBytes) return;
    this.#successes += 1;
    if (this.#successes < GROW_AFTER) return;
    this.#successes = 0;
    this.#bytes = Math.min(this.#configuredBytes, Math.ceil(this.#bytes * 1.1));
  }
}
