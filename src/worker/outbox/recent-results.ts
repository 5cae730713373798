import { LRUCache } from 'lru-cache';
import type { Outcome } from '../task/outcome.js';

/** Memory for results that were posted lately. */
const MAX_BYTES = 16 * 1024 * 1024;
/** As many small ones at most: each takes a kilobyte beside its bytes, and a fast worker posts thousands a second. */
const MAX_RESULTS = 5_000;

interface Recent {
  readonly outcome: Outcome;
  readonly postedAtMs: number;
}

/**
 * Results that the server has accepted. It acknowledges a task only after saving, so one may be delivered again meanwhile, or because
 * saving failed: then the same bytes are posted once more, and the model does not run twice.
 */
export class RecentResults {
  // Not a Map that is emptied from its front: looking for that front takes longer with every entry that was removed before it.
  readonly #results = new LRUCache<string, Recent>({
    max: MAX_RESULTS,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ outcome }) => Math.max(1, outcome.body.length),
  });

  add(key: string, outcome: Outcome, nowMs: number): void {
    this.#results.set(key, { outcome, postedAtMs: nowMs });
  }

  /** @returns undefined for what was posted longer ago than that. */
  get(key: string, maxAgeMs: number, nowMs: number): Outcome | undefined {
    const known = this.#results.peek(key);
    return known && nowMs - known.postedAtMs <= maxAgeMs ? known.outcome : undefined;
  }
}
