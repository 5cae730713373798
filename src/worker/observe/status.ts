import type { HealthCheck } from './health.js';
import type { LatencySummary } from './latency.js';
import type { FoundBox } from '../handler/found-boxes.js';
import type { WorkerCounters, WorkerGauges } from './snapshot.js';

/** One job as a worker sees it. */
export interface JobOverview {
  readonly id: number;
  readonly name: string | undefined;
  readonly pipeline: string;
  /** False once it is no longer listed as open. */
  readonly open: boolean;
  /** Images with a saved outcome, of all workers, as the server says; undefined before it was asked. */
  readonly done: number | undefined;
  readonly failed: number | undefined;
  /** Undefined while the server still collects. */
  readonly total: number | undefined;
  /** What this worker did of it. */
  readonly mine: { readonly succeeded: number; readonly failed: number };
  /** Images a second over the last minutes, of all workers. */
  readonly perSecond: number | undefined;
  readonly leftMs: number | undefined;
}

/** A task that failed. */
export interface FailureOverview {
  readonly at: string;
  readonly jobId: number;
  readonly imageId: string;
  /** Final, or left to another delivery. */
  readonly final: boolean;
  readonly reason: string;
}

/** An image that was looked at, with what was found on it. */
export interface ImageOverview {
  readonly at: string;
  readonly jobId: number;
  readonly imageId: string;
  /** As the server gave it; may be signed. */
  readonly url: string;
  readonly boxes: readonly FoundBox[];
}

/** Everything to look at of one worker, as plain data. Durations in milliseconds, sizes in bytes, moments in ISO 8601. */
export interface WorkerOverview {
  readonly name: string;
  readonly pid: number;
  readonly state: string;
  readonly health: 'ok' | 'degraded' | 'stuck';
  /** The checks that failed, in words. */
  readonly failing: readonly Pick<HealthCheck, 'name' | 'detail'>[];
  readonly startedAt: string;
  /** The device that it computes on, if known. */
  readonly device: string | undefined;
  readonly explanation: string;
  /** Tasks a second over the last minute. */
  readonly perSecond: number | undefined;
  readonly counters: Readonly<WorkerCounters>;
  readonly held: WorkerGauges['held'];
  readonly hold: WorkerGauges['hold'];
  readonly outbox: WorkerGauges['outbox'];
  readonly spool: WorkerGauges['spool'];
  readonly leaseSlack: { readonly start: LatencySummary; readonly post: LatencySummary };
  readonly stages: Readonly<Record<string, LatencySummary>>;
  readonly lateRatio: number;
  readonly jobs: readonly JobOverview[];
  /** Newest first. */
  readonly failures: readonly FailureOverview[];
  /** Newest first; empty unless images are shown. */
  readonly images: readonly ImageOverview[];
}

/** What `/status.json` serves: every worker of the machine. */
export interface MachineOverview {
  readonly software: string;
  readonly hostname: string;
  readonly now: string;
  /** A line for each GPU. */
  readonly gpus: readonly string[];
  /** Whether the last images are shown. */
  readonly view: boolean;
  readonly workers: readonly WorkerOverview[];
}
