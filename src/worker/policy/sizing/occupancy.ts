/**
 * How much of the busy time each piece of work accounts for. While k pieces run side by side each is charged 1/k of the time, so the
 * charges add up to the time in which anything ran. Dividing the duration by the number of lanes instead would be wrong whenever lanes
 * stand idle or share one processor.
 */
export class Occupancy {
  #running = 0;
  #chargedMs = 0;
  #changedAt = 0;

  /** Pieces of work that run now. */
  get running(): number {
    return this.#running;
  }

  /** Begins a piece of work. @returns a function that ends it and tells its charge in milliseconds. */
  begin(nowMs: number): (endMs: number) => number {
    this.#advance(nowMs);
    this.#running += 1;
    const chargedBefore = this.#chargedMs;
    return (endMs) => {
      this.#advance(endMs);
      this.#running -= 1;
      return this.#chargedMs - chargedBefore;
    };
  }

  #advance(nowMs: number): void {
    if (this.#running > 0) this.#chargedMs += (nowMs - this.#changedAt) / this.#running;
    this.#changedAt = nowMs;
  }
}
