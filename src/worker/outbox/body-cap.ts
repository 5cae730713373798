/** Bytes in one post, unless a single result is larger: well below the documented proxy limit of 100 MB (WORKER §3.6). */
export const MAX_POST_BYTES = 8 * 1024 * 1024;
/** Results in one post at most (WORKER §3.6). */
export const MAX_POST_RESULTS = 50;
/** Accepted posts after which a learned cap may grow again. */
const GROW_AFTER = 20;

/** How many bytes a post may have: the configured size, lowered by every 413, raised slowly by successes. */
export class BodyCap {
  readonly #configuredBytes: number;
  #bytes: number;
  #successes = 0;

  constructor(configuredBytes: number = MAX_POST_BYTES) {
    this.#configuredBytes = configuredBytes;
    this.#bytes = configuredBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A 413. A post is not cut below its largest single result: that one is dealt with alone. */
  tooLarge(attemptedBytes: number, largestSingleBytes: number): void {
    this.#bytes = Math.min(this.#bytes, Math.max(Math.floor(attemptedBytes / 2), largestSingleBytes));
    this.#successes = 0;
  }

  accepted(): void {
    if (this.#bytes >= this.#configuredBytes) return;
    this.#successes += 1;
    if (this.#successes < GROW_AFTER) return;
    this.#successes = 0;
    this.#bytes = Math.min(this.#configuredBytes, Math.ceil(this.#bytes * 1.1));
  }
}
