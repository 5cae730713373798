import { RESULT_OVERHEAD_BYTES, type Outcome } from '../task/outcome.js';
import type { WorkItem } from '../task/work-item.js';

/** A computed outcome on its way to the server. */
export interface OutboxEntry {
  readonly item: WorkItem;
  readonly outcome: Outcome;
  /** Bytes that it takes in a post. */
  readonly bytes: number;
  readonly enqueuedAtMs: number;
}

export function outboxEntry(item: WorkItem, outcome: Outcome, nowMs: number): OutboxEntry {
  return { item, outcome, bytes: outcome.body.length + RESULT_OVERHEAD_BYTES, enqueuedAtMs: nowMs };
}

/** Bytes of several entries. */
export function bytesOf(entries: readonly OutboxEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Results on disk, until it is known what became of them. */
export interface WrittenPost {
  /** The server has them. */
  readonly remove: () => Promise<void>;
  /** The server will never take them. */
  readonly bury: () => Promise<void>;
}

/** Keeps results on disk until they are accepted. */
export interface WriteAhead {
  /** Why nothing can be written at the moment: nothing should be reserved then. */
  readonly trouble: string | undefined;
  /** @returns undefined when the results could not be written; they are posted from memory then. */
  write(jobId: number, entries: readonly OutboxEntry[]): Promise<WrittenPost | undefined>;
}

/** Why nothing should be reserved. */
export type OutboxBlock = 'full' | 'spool' | undefined;
