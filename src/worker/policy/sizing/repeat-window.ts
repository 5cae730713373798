/**
 * What is left where a server shows no numbers: tasks that come again although nobody here lost them say that saving takes longer than
 * the lease. Then half as many are taken in each half lease, and one batch more after each that was clean.
 */
export class RepeatWindow {
  readonly #leaseMs: () => number;
  #cap = Number.POSITIVE_INFINITY;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #taken = 0;
  #takenBefore = 0;
  #repeats = 0;
  #lastRepeatAtMs = Number.NEGATIVE_INFINITY;

  constructor(leaseMs: () => number) {
    this.#leaseMs = leaseMs;
  }

  /** Most tasks in half a lease; infinite until the first repeat. */
  get cap(): number {
    return this.#cap;
  }

  /** A task came again that nobody here lost. */
  repeat(batchSize: number, nowMs: number): void {
    this.#roll(batchSize, nowMs);
    this.#repeats += 1;
    this.#lastRepeatAtMs = nowMs;
    // Once for all repeats of a half lease: those that follow are the same mistake.
    if (this.#repeats > 1) return;
    const most = Math.max(this.#taken, this.#takenBefore);
    this.#cap = Math.max(1, Math.floor(Math.min(this.#cap, most) / 2));
  }

  /** Whether no task has come again for two leases. */
  wasClean(nowMs: number): boolean {
    return nowMs - this.#lastRepeatAtMs >= 2 * this.#leaseMs();
  }

  taken(count: number, batchSize: number, nowMs: number): void {
    this.#roll(batchSize, nowMs);
    this.#taken += count;
  }

  /** How many tasks may be taken now. */
  room(batchSize: number, nowMs: number): number {
    this.#roll(batchSize, nowMs);
    return Math.max(0, this.#cap - this.#taken);
  }

  #roll(batchSize: number, nowMs: number): void {
    const lengthMs = this.#leaseMs() / 2;
    const passed = Math.floor((nowMs - this.#startedAtMs) / lengthMs);
    if (passed < 1) return;
    if (this.#repeats === 0) this.#cap += batchSize * Math.min(passed, 1_000);
    this.#startedAtMs = Number.isFinite(this.#startedAtMs) ? this.#startedAtMs + passed * lengthMs : nowMs;
    this.#takenBefore = passed === 1 ? this.#taken : 0;
    this.#taken = 0;
    this.#repeats = 0;
  }
}
