import { bytesOf, type OutboxEntry } from './entry.js';
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
  #bytes = 0;
  /** When the entry that waits longest came. */
  #oldestMs = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#entries.length;
  }

  add(entry: OutboxEntry): void {
    const deadline = entry.item.leasedAt.monotonicMs;
    let index = this.#entries.length;
    while (index > 0 && (this.#entries[index - 1]?.item.leasedAt.monotonicMs ?? 0) > deadline) index -= 1;
    this.#entries.splice(index, 0, entry);
    this.#bytes += entry.bytes;
    this.#oldestMs = Math.min(this.#oldestMs, entry.enqueuedAtMs);
  }

  /** The entries of the next post, or none if it is better to wait for more. */
  takeDue(moment: PostMoment): OutboxEntry[] {
    const [first] = this.#entries;
    if (!first) return [];
    // From the cheapest question to the dearest: this is asked with every step of every task. The first entry has the shortest lease.
    const due =
      isFull({ count: this.size, bytes: this.#bytes }, moment) ||
      moment.nowMs >= this.#oldestMs + moment.lingerMs ||
      moment.urgent(first) ||
      (moment.inFlight === 0 && moment.nothingComing());
    return due ? this.#take(packCount(this.#entries, moment)) : [];
  }

  takeAll(): OutboxEntry[] {
    return this.#take(this.size);
  }

  /** When an entry will have waited long enough; undefined when empty. */
  dueAtMs(lingerMs: number): number | undefined {
    return this.size === 0 ? undefined : this.#oldestMs + lingerMs;
  }

  #take(count: number): OutboxEntry[] {
    const taken = this.#entries.splice(0, count);
    this.#bytes = bytesOf(this.#entries);
    this.#oldestMs = Number.POSITIVE_INFINITY;
    for (const { enqueuedAtMs } of this.#entries) this.#oldestMs = Math.min(this.#oldestMs, enqueuedAtMs);
    return taken;
  }
}
