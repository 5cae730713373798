/**
 * How many downloads run side by side: one more while all are in use and go well, half as many after a failure that may be overload
 * (AIMD, as TCP does it).
 */
export class AdaptiveSlots {
  readonly #max: number;
  #limit: number;

  constructor(max: number, start = 4) {
    this.#max = max;
    this.#limit = Math.min(start, max);
  }

  get limit(): number {
    return this.#limit;
  }

  /** @param allInUse - more slots than are used teach nothing. */
  succeeded(allInUse: boolean): void {
    if (allInUse) this.#limit = Math.min(this.#max, this.#limit + 1);
  }

  /** A failure that may pass: a timeout, a reset, a 429 or 5xx of the image server. */
  struggled(): void {
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }
}
