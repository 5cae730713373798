/** Keeps the newest entries up to a limit, so that a long run cannot fill the memory; says how many it let go. */
export class BoundedLog<Entry> {
  readonly #limit: number;
  #entries: Entry[] = [];
  #head = 0;
  #dropped = 0;

  constructor(limit: number) {
    this.#limit = Math.max(0, limit);
  }

  push(entry: Entry): void {
    if (this.#limit === 0) {
      this.#dropped++;
      return;
    }
    this.#entries.push(entry);
    if (this.#entries.length - this.#head <= this.#limit) return;
    this.#head++;
    this.#dropped++;
    // Compacting only now and then keeps a push at constant cost.
    if (this.#head > this.#limit) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The kept entries, oldest first. */
  toArray(): Entry[] {
    return this.#entries.slice(this.#head);
  }

  /** How many entries were let go to stay within the limit. */
  get dropped(): number {
    return this.#dropped;
  }

  clear(): void {
    this.#entries = [];
    this.#head = 0;
    this.#dropped = 0;
  }
}
