/** What is taken off an observed redelivery: it was seen later than it happened. */
const MARGIN = 0.95;
/** A redelivery sooner than this is the queue's doing (a job published twice), not a lease. */
const SHORTEST_MS = 1_000;

/**
 * The assumed length of a lease. The server does not tell it, so it starts from an assumption and learns downward only: a task that
 * comes back after g had a lease of at most g, while nothing that can be seen proves a longer one.
 */
export class LeaseLength {
  #ms: number;

  constructor(assumedMs: number) {
    this.#ms = assumedMs;
  }

  get ms(): number {
    return this.#ms;
  }

  /**
   * A task was delivered again.
   * @param sinceDeliveryMs - since the earlier delivery of the same task.
   * @param delivery - number of the new delivery, if it could be read. 1 is a task that was published twice, not a lapsed lease.
   * @returns whether the lease turned out shorter than assumed.
   */
  observeRedelivery(sinceDeliveryMs: number, delivery: number | undefined): boolean {
    if (delivery === 1 || sinceDeliveryMs < SHORTEST_MS) return false;
    const learnedMs = MARGIN * sinceDeliveryMs;
    if (learnedMs >= this.#ms) return false;
    this.#ms = learnedMs;
    return true;
  }
}
