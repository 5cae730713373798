import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** A distribution of durations in milliseconds. Percentiles are within 1 %; all are 0 before the first sample. */
export interface LatencySummary {
  readonly count: number;
  readonly sumMs: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Samples are kept in microseconds: Node's histogram takes whole numbers from 1. */
const PER_MS = 1_000;
/** Longest duration that is told apart: a day. */
const HIGHEST = 86_400_000 * PER_MS;

/** Durations of one kind, in an HDR histogram of fixed size: a million samples take no more room than one. */
export class LatencyHistogram {
  readonly #histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: HIGHEST, figures: 2 });
  #sumMs = 0;
  #maxMs = 0;

  /** Negative durations count as 0: a clock of a virtual machine may step back by a hair. What is no number is left out. */
  record(durationMs: number): void {
    if (!Number.isFinite(durationMs)) return;
    const ms = Math.max(0, durationMs);
    this.#histogram.record(Math.min(HIGHEST, Math.max(1, Math.round(ms * PER_MS))));
    this.#sumMs += ms;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  summary(): LatencySummary {
    const { count } = this.#histogram;
    if (count === 0) return { count, sumMs: 0, meanMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 };
    // The histogram answers with the upper end of a bucket, which may lie above every sample.
    const at = (percentile: number): number =>
      Math.min(this.#maxMs, this.#histogram.percentile(percentile) / PER_MS);
    return {
      count,
      sumMs: this.#sumMs,
      meanMs: this.#sumMs / count,
      p50Ms: at(50),
      p95Ms: at(95),
      p99Ms: at(99),
      maxMs: this.#maxMs,
    };
  }
}
