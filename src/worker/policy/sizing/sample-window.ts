/** Mean, spread and count of a window. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  /** Standard deviation of the samples; 0 for fewer than two. */
  readonly sd: number;
}

const CAPACITY = 64;
const MAX_AGE_MS = 15 * 60_000;

/**
 * The last 64 samples of the last 15 minutes (WORKER §3.2): enough for a spread, few enough to notice a slower model soon.
 *
 * Every task adds samples and every turn of the reserve loop asks for all windows, so the samples are kept in the order of their values
 * too: sorting them for each question took a tenth of a fast worker's time. Plain numbers in loops of at most 64 steps: cutting pieces
 * out of arrays and putting them in took a twentieth.
 */
export class SampleWindow {
  /** Rings: the oldest sample is at `#first`. */
  readonly #values: number[] = [];
  readonly #times: number[] = [];
  #first = 0;
  /** The values of the samples, ascending. */
  readonly #sorted: number[] = [];
  #moments: Moments | undefined;

  add(value: number, nowMs: number): void {
    if (this.#sorted.length === CAPACITY) this.#forgetOldest();
    const next = (this.#first + this.#sorted.length) % CAPACITY;
    this.#values[next] = value;
    this.#times[next] = nowMs;
    insert(this.#sorted, value);
    this.#moments = undefined;
  }

  moments(nowMs: number): Moments {
    this.#expire(nowMs);
    return (this.#moments ??= momentsOf(this.#sorted));
  }

  /**
   * The value below which this share of the samples lies, by value and not by time of arrival.
   * @param share - in (0, 1].
   * @returns undefined without samples.
   */
  quantile(share: number, nowMs: number): number | undefined {
    this.#expire(nowMs);
    return this.#sorted[Math.max(0, Math.ceil(share * this.#sorted.length) - 1)];
  }

  #expire(nowMs: number): void {
    while (this.#sorted.length > 0 && nowMs - (this.#times[this.#first] ?? nowMs) > MAX_AGE_MS) {
      this.#forgetOldest();
      this.#moments = undefined;
    }
  }

  #forgetOldest(): void {
    remove(this.#sorted, this.#values[this.#first] ?? 0);
    this.#first = (this.#first + 1) % CAPACITY;
  }
}

function insert(sorted: number[], value: number): void {
  let at = sorted.length;
  for (; at > 0; at -= 1) {
    const before = sorted[at - 1] ?? 0;
    if (before <= value) break;
    sorted[at] = before;
  }
  sorted[at] = value;
}

/** @param value - one of the values. */
function remove(sorted: number[], value: number): void {
  for (let at = sorted.indexOf(value) + 1; at < sorted.length; at += 1) sorted[at - 1] = sorted[at] ?? 0;
  sorted.pop();
}

function momentsOf(values: readonly number[]): Moments {
  const count = values.length;
  if (count === 0) return { count, mean: 0, sd: 0 };
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / count;
  if (count < 2) return { count, mean, sd: 0 };
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { count, mean, sd: Math.sqrt(squares / (count - 1)) };
}

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
