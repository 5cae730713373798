const SMALLEST = 1 / 64;

/**
 * What late tasks teach: halve at once, recover step by step. Formulas go by the past; when a model has just become slower they are
 * wrong, and only what was late says so.
 */
export class LeaseFeedback {
  #scale = 1;
  #reducedAtMs = Number.NEGATIVE_INFINITY;

  /** In (0, 1]: factor on the number of tasks that the lease allows. */
  get scale(): number {
    return this.#scale;
  }

  /**
   * A task was posted past its deadline. Halves once per round: tasks reserved before the last reduction are its old mistake.
   * @param reservedAtMs - when the task was reserved.
   */
  late(reservedAtMs: number, nowMs: number): void {
    if (reservedAtMs < this.#reducedAtMs) return;
    this.#scale = Math.max(SMALLEST, this.#scale / 2);
    this.#reducedAtMs = nowMs;
  }

  /**
   * A round in which all were in time.
   * @param leaseBound - whether the lease set the number: growing a bound that does not bind teaches nothing.
   * @param step - tasks by which the number may grow, as a share of it.
   */
  punctual(leaseBound: boolean, step: number): void {
    if (leaseBound) this.#scale = Math.min(1, this.#scale + step);
  }
}
