import { Fifo } from '../queue/fifo.js';
import type { Random } from '../random.js';
import { idleClock, machineClock } from '../time/clock.js';
import type { Clock } from '../time/clock.js';

/** How fast, and how carefully, the server's background saves results; see contract T51 and T52. */
export interface SavingOptions {
  /**
   * Results saved a second, in the order in which they were accepted, over all jobs and workers. A task's lease runs until its
   * result is saved. Default `Infinity`: all at once, after `saveDelayMs`. 0 saves nothing. Real servers did 5 to 10.
   */
  readonly perSecond?: number | undefined;
  /**
   * Probability, 0 to 1, that an update of a job's progress is lost, because another process that read before it writes after it.
   * Images are saved and acknowledged all the same; a job whose last update is lost stays STARTED. Default 0.
   */
  readonly lostUpdates?: number | undefined;
}

/** The line in which accepted results wait for the background. */
export class SaveLine {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #line = new Fifo<() => void>();
  #perSecond = Number.POSITIVE_INFINITY;
  #lostUpdates = 0;
  /** When the first of the line is saved. */
  #dueAt = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, random: Random, options: SavingOptions = {}) {
    // A long line must not keep a test's process alive.
    this.#clock = clock === machineClock ? idleClock : clock;
    this.#random = random;
    this.perSecond = options.perSecond ?? Number.POSITIVE_INFINITY;
    this.lostUpdates = options.lostUpdates ?? 0;
  }

  /** See {@link SavingOptions.perSecond}. Setting it counts from now on, also for results that wait. */
  get perSecond(): number {
    return this.#perSecond;
  }

  set perSecond(value: number) {
    if (!(value >= 0)) throw new TypeError(`saving.perSecond must be a number from 0, got ${value}.`);
    const remaining = (this.#dueAt - this.#clock.now()) / this.#intervalMs;
    this.#perSecond = value;
    if (this.#line.size === 0) return;
    // What is done of the first one stays done.
    const share = remaining >= 0 && remaining <= 1 ? remaining : 1;
    this.#dueAt = this.#clock.now() + share * this.#intervalMs;
    this.#schedule();
  }

  /** See {@link SavingOptions.lostUpdates}. */
  get lostUpdates(): number {
    return this.#lostUpdates;
  }

  set lostUpdates(value: number) {
    if (!(value >= 0 && value <= 1))
      throw new TypeError(`saving.lostUpdates must be a number from 0 to 1, got ${value}.`);
    this.#lostUpdates = value;
  }

  /** Accepted results that wait to be saved. */
  get backlog(): number {
    return this.#line.size;
  }

  /** @returns whether the work waits; false when there is no line and it is to be done now. */
  add(run: () => void): boolean {
    if (this.#perSecond === Number.POSITIVE_INFINITY && this.#line.size === 0) return false;
    this.#line.push(run);
    if (this.#line.size === 1) {
      this.#dueAt = this.#clock.now() + this.#intervalMs;
      this.#schedule();
    }
    return true;
  }

  /** Draws whether an update of a job's progress is lost. */
  losesUpdate(): boolean {
    return this.#lostUpdates > 0 && this.#random.next() < this.#lostUpdates;
  }

  /** Saves all that waits, due or not. */
  runAll(): void {
    for (let run = this.#line.shift(); run; run = this.#line.shift()) run();
    this.#schedule();
  }

  clear(): void {
    while (this.#line.shift());
    this.#schedule();
  }

  get #intervalMs(): number {
    return 1000 / this.#perSecond;
  }

  #schedule(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#line.size === 0 || this.#dueAt === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#clock.schedule(Math.max(0, this.#dueAt - this.#clock.now()), () => {
      this.#saveDue();
    });
  }

  /** Goes by when each is due, not by when timers fire: those of a machine are late, and would make a fast line slow. */
  #saveDue(): void {
    while (this.#line.size > 0 && this.#dueAt <= this.#clock.now()) {
      this.#dueAt += this.#intervalMs;
      this.#line.shift()?.();
    }
    this.#schedule();
  }
}
