import type { Outcome } from '../outcome.js';

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
  readonly #results = new Map<string, Recent>();
  #bytes = 0;

  add(key: string, outcome: Outcome, nowMs: number): void {
    this.delete(key);
    this.#results.set(key, { outcome, postedAtMs: nowMs });
    this.#bytes += outcome.body.length;
    for (const oldest of this.#results.keys()) {
      if (this.#bytes <= MAX_BYTES && this.#results.size <= MAX_RESULTS) break;
      this.delete(oldest);
    }
  }

  get(key: string): Outcome | undefined {
    return this.#results.get(key)?.outcome;
  }

  /** Forgets what was posted longer ago than that. */
  prune(maxAgeMs: number, nowMs: number): void {
    for (const [key, { postedAtMs }] of this.#results) {
      if (nowMs - postedAtMs <= maxAgeMs) break;
      this.delete(key);
    }
  }

  delete(key: string): void {
    const known = this.#results.get(key);
    if (!known) return;
    this.#results.delete(key);
    this.#bytes -= known.outcome.body.length;
  }
}
