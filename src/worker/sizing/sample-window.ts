/** Mean, spread and count of a window. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  /** Standard deviation of the samples; 0 for fewer than two. */
  readonly sd: number;
}

const CAPACITY = 64;
const MAX_AGE_MS = 15 * 60_000;

interface Sample {
  readonly value: number;
  readonly at: number;
}

/**
 * The last 64 samples of the last 15 minutes (WORKER §3.2): enough for a spread, few enough to notice a slower model soon.
 *
 * Every task adds samples and every turn of the reserve loop asks for all windows, so the samples are kept in the order of their values
 * too: sorting them for each question took a tenth of a fast worker's time.
 */
export class SampleWindow {
  readonly #samples: Sample[] = [];
  /** The values of the samples, ascending. */
  readonly #sorted: number[] = [];
  #moments: Moments | undefined;

  add(value: number, nowMs: number): void {
    this.#samples.push({ value, at: nowMs });
    this.#sorted.splice(rank(this.#sorted, value), 0, value);
    if (this.#samples.length > CAPACITY) this.#forgetOldest();
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
    for (let oldest = this.#samples[0]; oldest && nowMs - oldest.at > MAX_AGE_MS; oldest = this.#samples[0]) {
      this.#forgetOldest();
      this.#moments = undefined;
    }
  }

  #forgetOldest(): void {
    const oldest = this.#samples.shift();
    if (oldest) this.#sorted.splice(rank(this.#sorted, oldest.value), 1);
  }
}

/** Index of the first value that is not below this one. */
function rank(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
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
