import { LRUCache } from 'lru-cache';
import type { Clock } from '../time/clock.js';
import type { CachedOperation } from './rules.js';

/** Whose answer to what. */
export interface EntryName {
  readonly key: string;
  readonly operation: CachedOperation;
  /** Of the credential. */
  readonly fingerprint: string;
}

interface Entry extends EntryName {
  readonly value: unknown;
  readonly expiresAtMs: number;
}

/** A request on its way whose answer may be kept. */
export interface Ticket extends EntryName {
  /** Its answer was asked for before something changed: it must not be kept, and nobody else may wait for it. */
  stale: boolean;
}

/** What the cache has done since the client was made. */
export interface CacheStats {
  /** Calls answered without a request. */
  readonly hits: number;
  /** Calls that sent a request. */
  readonly misses: number;
  /** Calls that waited for the request of another. */
  readonly joined: number;
  /** Answers that were kept. */
  readonly stored: number;
  /** Answers that made room for others. */
  readonly evicted: number;
  /** Answers dropped because of a change, a refused credential or `clear()`. */
  readonly invalidated: number;
  /** Answers kept now. */
  readonly entries: number;
  readonly maxEntries: number;
}

/**
 * The answers that are kept, and the requests on their way. A ticket is the epoch of its key: what was asked for before a change
 * does not come back after it.
 */
export class CacheStore {
  readonly counts = { hits: 0, misses: 0, joined: 0, stored: 0, evicted: 0, invalidated: 0 };
  readonly #clock: Clock;
  readonly #maxEntries: number;
  readonly #entries: LRUCache<string, Entry>;
  readonly #tickets = new Set<Ticket>();

  /** @param clock - its monotonic side: a wall clock that is set back would keep answers for ever. */
  constructor(clock: Clock, maxEntries: number) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#entries = new LRUCache<string, Entry>({
      max: maxEntries,
      dispose: (_entry, _key, reason) => {
        if (reason === 'evict') this.counts.evicted += 1;
      },
    });
  }

  /** @returns the answer in a box, as an answer may be undefined; nothing when there is none or it is too old. */
  find(key: string): { readonly value: unknown } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#clock.now() >= entry.expiresAtMs) return undefined;
    return entry;
  }

  /** A request begins. Give the ticket back to {@link keep} or {@link discard}. */
  begin(name: EntryName): Ticket {
    const ticket = { ...name, stale: false };
    this.#tickets.add(ticket);
    return ticket;
  }

  /** Keeps the answer of a request, unless something has changed since it was sent. */
  keep(ticket: Ticket, value: unknown, ttlMs: number): void {
    this.#tickets.delete(ticket);
    if (ticket.stale) return;
    this.#sweep();
    const { key, operation, fingerprint } = ticket;
    this.#entries.set(key, {
      key,
      operation,
      fingerprint,
      value,
      expiresAtMs: this.#clock.now() + ttlMs,
    });
    this.counts.stored += 1;
  }

  discard(ticket: Ticket): void {
    this.#tickets.delete(ticket);
  }

  /** Drops answers, and has those on their way dropped when they arrive. */
  drop(matches: (name: EntryName) => boolean): void {
    for (const ticket of this.#tickets) if (matches(ticket)) ticket.stale = true;
    for (const [key, entry] of this.#entries)
      if (matches(entry) && this.#entries.delete(key)) this.counts.invalidated += 1;
  }

  stats(): CacheStats {
    return { ...this.counts, entries: this.#entries.size, maxEntries: this.#maxEntries };
  }

  /** Answers of a credential that was replaced are never asked for again: without this they would stay until others push them out. */
  #sweep(): void {
    const nowMs = this.#clock.now();
    for (const [key, { expiresAtMs }] of this.#entries) if (nowMs >= expiresAtMs) this.#entries.delete(key);
  }
}
