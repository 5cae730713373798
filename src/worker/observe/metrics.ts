import { LatencyHistogram } from './latency.js';
import {
  STAGES,
  type LoopDelaySummary,
  type MetricsSource,
  type Stage,
  type WorkerCounters,
  type WorkerMetricsSnapshot,
} from './snapshot.js';

const NO_DELAY: LoopDelaySummary = { p50Ms: 0, p99Ms: 0, maxMs: 0 };

/** Counts and times what a worker does, and puts it together with what the runtime measures. Constant in size. */
export class WorkerMetrics {
  readonly #counters = emptyCounters();
  readonly #stages: Readonly<Record<Stage, LatencyHistogram>> = {
    reserve: new LatencyHistogram(),
    download: new LatencyHistogram(),
    process: new LatencyHistogram(),
    encode: new LatencyHistogram(),
    post: new LatencyHistogram(),
  };
  readonly #slack = { start: new LatencyHistogram(), post: new LatencyHistogram() };
  readonly #lateness = new LatencyHistogram();
  readonly #deliveries = new Map<string, number>();

  count(name: keyof WorkerCounters, by = 1): void {
    this.#counters[name] += by;
  }

  /** A stage took so long. */
  observe(stage: Stage, durationMs: number): void {
    this.#stages[stage].record(durationMs);
  }

  /** A task ended under its n-th delivery. Numbers above 9 are one: labels must stay few. */
  delivery(attempt: number | undefined): void {
    const key = attempt === undefined ? 'unknown' : attempt > 9 ? '10+' : String(attempt);
    this.#deliveries.set(key, (this.#deliveries.get(key) ?? 0) + 1);
  }

  /** What was left of a lease; negative when it was over. */
  slack(when: 'start' | 'post', remainingMs: number): void {
    this.#slack[when].record(remainingMs);
    if (when === 'post' && remainingMs < 0) this.late(-remainingMs);
  }

  /** An outcome was accepted so long after its lease. */
  late(lateMs: number): void {
    this.#counters.late += 1;
    this.#lateness.record(lateMs);
  }

  /** A copy: what it holds does not change any more. */
  snapshot(source: MetricsSource, loopDelay: LoopDelaySummary = NO_DELAY): WorkerMetricsSnapshot {
    const counters = { ...this.#counters };
    const summaries = STAGES.map((stage) => [stage, this.#stages[stage].summary()] as const);
    return {
      counters,
      gauges: source.gauges(),
      lateRatio: counters.posted === 0 ? 0 : counters.late / counters.posted,
      deliveries: Object.fromEntries(this.#deliveries),
      stages: Object.fromEntries(summaries) as WorkerMetricsSnapshot['stages'],
      leaseSlack: { start: this.#slack.start.summary(), post: this.#slack.post.summary() },
      lateness: this.#lateness.summary(),
      loopDelay,
    };
  }
}

function emptyCounters(): WorkerCounters {
  return {
    reserved: 0,
    emptyReplies: 0,
    redelivered: 0,
    expired: 0,
    late: 0,
    downloadedBytes: 0,
    succeeded: 0,
    failed: 0,
    lapsed: 0,
    posted: 0,
    postedBytes: 0,
    postRetries: 0,
    splits: 0,
    batchCuts: 0,
    dropped: 0,
    spooled: 0,
    abandoned: 0,
    replayed: 0,
    stalls: 0,
    leftOut: 0,
    errors: 0,
  };
}
