import { bytesOf, type OutboxEntry } from './entry.js';

/** What packing goes by. */
export interface Packable {
  readonly bytes: number;
}

/** Limits of one post. */
export interface PackLimits {
  readonly maxBytes: number;
  readonly maxResults: number;
}

/** How many items from the front of the queue make the next post: at least one, however large it is. */
export function packCount(queue: readonly Packable[], limits: PackLimits): number {
  let bytes = 0;
  let count = 0;
  for (const item of queue) {
    if (count > 0 && (bytes + item.bytes > limits.maxBytes || count >= limits.maxResults)) break;
    bytes += item.bytes;
    count += 1;
  }
  return count;
}

/** Whether a post would be full with what waits. */
export function isFull(
  waiting: { readonly count: number; readonly bytes: number },
  limits: PackLimits,
): boolean {
  return waiting.count >= limits.maxResults || waiting.bytes >= limits.maxBytes;
}

/** The two halves of a post that was refused as a whole. */
export function halve<Item>(items: readonly Item[]): [Item[], Item[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

/** Finds the items for which a post is refused. */
export interface Isolation<Item> {
  /** Posts some items. @returns whether the server accepted them; false for a refusal of the content. */
  readonly post: (items: readonly Item[]) => Promise<boolean>;
  /** An item is refused on its own. @returns false to give up the search. */
  readonly bad: (item: Item) => Promise<boolean>;
}

/**
 * Bisects a post that was refused as a whole (trap T33). If one half is accepted the other must hold the culprit and is not posted
 * again whole, which keeps k bad of n below 2k·log₂n posts.
 * @param items - known to be refused together.
 * @returns items that were not decided because `bad` gave up.
 */
export async function isolate<Item>(items: readonly Item[], isolation: Isolation<Item>): Promise<Item[]> {
  const [only] = items;
  if (only === undefined) return [];
  if (items.length === 1) return (await isolation.bad(only)) ? [] : [only];
  const [left, right] = halve(items);
  const leftAccepted = await isolation.post(left);
  if (leftAccepted) return isolate(right, isolation);
  const undecided = await isolate(left, isolation);
  if (undecided.length > 0) return [...undecided, ...right];
  if (await isolation.post(right)) return [];
  return isolate(right, isolation);
}

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
