/** Posts under way at once, over all jobs whose posts go well. */
const MAX_POSTS = 8;
/** Posts of jobs in trouble that may begin beside them: however many jobs fail, trying again costs the others nothing. */
const MAX_SUSPECTS = 4;

/** A post that is under way, or waits to be. */
interface Post {
  /** Whether its job's posts fail, or this one does not end. */
  readonly isSuspect: () => boolean;
  /** The earlier, the sooner: when its oldest lease began, on the monotonic clock. */
  readonly rank: number;
}

/**
 * Lets so many posts go out at once, the earliest lease first. One that waits for its next try holds no slot, and one that hangs only
 * among its like: eight posts that are not answered would otherwise be the end of posting.
 */
export class PostSlots {
  readonly #waiting = new Map<Post, (release: () => void) => void>();
  readonly #running = new Set<Post>();

  get running(): number {
    return this.#running.size;
  }

  /** Resolves when the post may go out. @returns what gives the slot back. */
  take(post: Post): Promise<() => void> {
    return new Promise((go) => {
      this.#waiting.set(post, go);
      this.look();
    });
  }

  /** Starts what may start. To be called when a post under way has turned out to hang. */
  look(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      const [post, go] = next;
      this.#waiting.delete(post);
      this.#running.add(post);
      go(() => {
        if (this.#running.delete(post)) this.look();
      });
    }
  }

  #next(): [Post, (release: () => void) => void] | undefined {
    if (this.#waiting.size === 0) return undefined;
    let suspects = 0;
    for (const { isSuspect } of this.#running) if (isSuspect()) suspects += 1;
    const room = MAX_POSTS - (this.#running.size - suspects);
    let best: Post | undefined;
    for (const post of this.#waiting.keys()) {
      if (best !== undefined && best.rank <= post.rank) continue;
      if (post.isSuspect() ? suspects < MAX_SUSPECTS : room > 0) best = post;
    }
    const go = best && this.#waiting.get(best);
    return best && go && [best, go];
  }
}
