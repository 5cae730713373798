import type { OutboxEntry } from './entry.js';
import { isFull, packCount, type PackLimits } from './packer.js';

/** What decides whether a post should go out now. */
export interface PostMoment extends PackLimits {
  readonly nowMs: number;
  readonly lingerMs: number;
  /** Posts of this job on their way. */
  readonly inFlight: number;
  /** Asks whether nothing more is coming: all tasks in hand are computed, or the worker is ending. */
  readonly nothingComing: () => boolean;
  /** Whether this entry cannot wait: its lease is short or over. */
  readonly urgent: (entry: OutboxEntry) => boolean;
}

/** Computed outcomes of one job, the earliest deadline first. */
export class JobQueue {
  readonly #entries: OutboxEntry[] = [];

  get size(): number {
    return this.#entries.length;
  }

  add(entry: OutboxEntry): void {
    const deadline = entry.item.leasedAt.monotonicMs;
    let index = this.#entries.length;
    while (index > 0 && (this.#entries[index - 1]?.item.leasedAt.monotonicMs ?? 0) > deadline) index -= 1;
    this.#entries.splice(index, 0, entry);
  }

  /** The entries of the next post, or none if it is better to wait for more. */
  takeDue(moment: PostMoment): OutboxEntry[] {
    const [first] = this.#entries;
    if (!first) return [];
    // From the cheapest question to the dearest: this is asked with every step of every task. The first entry has the shortest lease.
    const due =
      isFull(this.#entries, moment) ||
      this.#entries.some((entry) => moment.nowMs >= entry.enqueuedAtMs + moment.lingerMs) ||
      moment.urgent(first) ||
      (moment.inFlight === 0 && moment.nothingComing());
    return due ? this.#entries.splice(0, packCount(this.#entries, moment)) : [];
  }

  takeAll(): OutboxEntry[] {
    return this.#entries.splice(0);
  }

  /** When the first entry will have waited long enough; undefined when empty. */
  dueAtMs(lingerMs: number): number | undefined {
    if (this.#entries.length === 0) return undefined;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const { enqueuedAtMs } of this.#entries) oldestMs = Math.min(oldestMs, enqueuedAtMs);
    return oldestMs + lingerMs;
  }
}
