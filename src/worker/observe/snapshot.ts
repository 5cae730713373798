import type { ExecutorStats } from '../executors/executor.js';
import type { Trouble } from '../policy/shares/troubles.js';
import type { LatencySummary } from './latency.js';

/** The stages that a task goes through, each with its time. `process` is one call of the handler, whatever the number of images. */
export const STAGES = ['reserve', 'download', 'process', 'encode', 'post'] as const;
export type Stage = (typeof STAGES)[number];

/** What is counted, since the worker was made. */
export interface WorkerCounters {
  /** Tasks taken, redeliveries of held ones not counted again. */
  reserved: number;
  /** Answers of a queue that had nothing for us. */
  emptyReplies: number;
  /** Tasks delivered again while we held them or after we posted them. */
  redelivered: number;
  /** Leases that ran out before their task was started. */
  expired: number;
  /** Outcomes accepted after their lease: they count, but were probably computed twice. */
  late: number;
  downloadedBytes: number;
  succeeded: number;
  failed: number;
  lapsed: number;
  /** Results that the server accepted, errors included. */
  posted: number;
  postedBytes: number;
  postRetries: number;
  /** Posts that were cut in two because the server refused the whole. */
  splits: number;
  /** Times that batches became smaller because one failed as a whole. */
  batchCuts: number;
  dropped: number;
  spooled: number;
  abandoned: number;
  /** Results of an earlier process that were dealt with. */
  replayed: number;
  /** Times that the event loop stood still for a second or more. */
  stalls: number;
  /** Jobs and tasks that could not be read, each counted once. */
  leftOut: number;
  /** Faults that the worker went on after. */
  errors: number;
}

/** What is measured at this moment. */
export interface WorkerGauges {
  readonly state: string;
  /** Tasks reserved and not yet confirmed posted, and the images of them in memory. */
  readonly held: { readonly count: number; readonly bytes: number };
  /** How many the worker wants to hold, and which bound decided that; undefined before the first decision. */
  readonly hold: { readonly target: number; readonly bound: string } | undefined;
  /** Jobs whose limit is the server's saving, by id; see the event `saving`. */
  readonly saving: Readonly<Record<string, SavingGauge>>;
  /** By pipeline: time per task, its spread, and the times around it. Undefined members are not measured yet. */
  readonly estimates: Readonly<Record<string, SizingEstimates>>;
  /** Results that wait to be posted. */
  readonly outbox: {
    readonly count: number;
    readonly bytes: number;
    readonly oldestAgeMs: number | undefined;
  };
  /** Undefined without a spool directory. */
  readonly spool: { readonly files: number; readonly bytes: number } | undefined;
  /** Jobs, image hosts and pipelines that fail or stall, the longest first. */
  readonly troubles: readonly Trouble[];
  /** By pipeline. */
  readonly executors: Readonly<Record<string, ExecutorStats>>;
}

/** A job that goes at the pace of the server's saving. Undefined members are not known: the server shows no numbers. */
export interface SavingGauge {
  readonly pipeline: string;
  /** Results of the job that are saved a second. */
  readonly perSecond?: number | undefined;
  /** Tasks between reservation and saving, over all workers, estimated. */
  readonly outstanding?: number;
  /** How many of them there may be. */
  readonly limit?: number;
}

/** What the size of a reservation is computed from. */
export interface SizingEstimates {
  /** Images in one call of the handler at most, now. */
  readonly batchLimit: number;
  readonly taskMeanMs: number | undefined;
  readonly taskSdMs: number | undefined;
  readonly downloadP95Ms: number | undefined;
  readonly reserveP95Ms: number | undefined;
}

/** Where the gauges come from: the runtime. */
export interface MetricsSource {
  gauges(): WorkerGauges;
}

/** Delay of the event loop in milliseconds, since the monitor was started. */
export interface LoopDelaySummary {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Everything at once, as plain data. Durations in milliseconds, sizes in bytes. */
export interface WorkerMetricsSnapshot {
  readonly counters: Readonly<WorkerCounters>;
  readonly gauges: WorkerGauges;
  /** `late` of `posted`; 0 before the first post. Above some percent, `leaseMs` is wrong or the model too slow. */
  readonly lateRatio: number;
  /** Finished tasks by the number of their delivery; `unknown` where it could not be read. */
  readonly deliveries: Readonly<Record<string, number>>;
  readonly stages: Readonly<Record<Stage, LatencySummary>>;
  /** What was left of the lease when a task was started and when its result was accepted; 0 for late ones. */
  readonly leaseSlack: { readonly start: LatencySummary; readonly post: LatencySummary };
  /** By how much late outcomes were late. */
  readonly lateness: LatencySummary;
  readonly loopDelay: LoopDelaySummary;
}
