import type { OutboxEntry, WrittenPost } from './entry.js';

/** The results of one post that waits for its turn. */
export interface WaitingPost {
  readonly jobId: number;
  /** The earliest deadline first. */
  readonly entries: readonly OutboxEntry[];
  /** On disk; undefined without a spool, or if it could not be written. */
  readonly written: WrittenPost | undefined;
}

/** Packed posts, the earliest deadline first. */
export class WaitingPosts {
  readonly #posts = new Set<WaitingPost>();

  add(post: WaitingPost): void {
    this.#posts.add(post);
  }

  /** Takes the most urgent post of a job that may post now. */
  takeNext(mayPost: (jobId: number) => boolean): WaitingPost | undefined {
    let next: WaitingPost | undefined;
    for (const post of this.#posts)
      if (mayPost(post.jobId) && (next === undefined || deadlineOf(post) < deadlineOf(next))) next = post;
    if (next) this.#posts.delete(next);
    return next;
  }

  takeAll(): WaitingPost[] {
    const all = [...this.#posts];
    this.#posts.clear();
    return all;
  }
}

function deadlineOf({ entries }: WaitingPost): number {
  return entries[0]?.item.leasedAt.monotonicMs ?? 0;
}
