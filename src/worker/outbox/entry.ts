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
