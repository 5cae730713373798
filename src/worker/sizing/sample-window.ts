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

/** The last 64 samples of the last 15 minutes (WORKER §3.2): enough for a spread, few enough to notice a slower model soon. */
export class SampleWindow {
  #samples: Sample[] = [];

  add(value: number, nowMs: number): void {
    this.#samples.push({ value, at: nowMs });
    if (this.#samples.length > CAPACITY) this.#samples.shift();
  }

  moments(nowMs: number): Moments {
    const values = this.#values(nowMs);
    const count = values.length;
    if (count === 0) return { count, mean: 0, sd: 0 };
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    if (count < 2) return { count, mean, sd: 0 };
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { count, mean, sd: Math.sqrt(squares / (count - 1)) };
  }

  /**
   * The value below which this share of the samples lies, by value and not by time of arrival.
   * @param share - in (0, 1].
   * @returns undefined without samples.
   */
  quantile(share: number, nowMs: number): number | undefined {
    const values = this.#values(nowMs).sort((a, b) => a - b);
    return values[Math.max(0, Math.ceil(share * values.length) - 1)];
  }

  #values(nowMs: number): number[] {
    const oldest = this.#samples[0];
    if (oldest !== undefined && nowMs - oldest.at > MAX_AGE_MS)
      this.#samples = this.#samples.filter(({ at }) => nowMs - at <= MAX_AGE_MS);
    return this.#samples.map(({ value }) => value);
  }
}
