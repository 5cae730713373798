import type { OutboxEntry } from './entry.js';

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
