import { BatchCap } from './batch-cap.js';
import { LRUCache } from 'lru-cache';
import {
  explainSizing,
  COLD_CALLS,
  holdTarget,
  type Sizing,
  type SizingInputs,
  LeaseFeedback,
} from './hold-target.js';
import { SampleWindow } from './sample-window.js';

/** Assumed until the first image has been downloaded: a 4K JPEG has 1 to 2 MB. */
const ASSUMED_IMAGE_BYTES = 2 * 1024 * 1024;

/** What does not depend on the model. */
export interface SizingLimits {
  readonly leaseMs: number;
  readonly lanes: number;
  readonly budgetBytes: number;
  readonly maxHeld: number;
}

/** Which way a task goes: what is slow on one must not be taken for slow on another. */
export interface Route {
  readonly jobId: number;
  /** Host of the images; undefined while no task of the job has been seen. */
  readonly origin: string | undefined;
}

/** Jobs and image hosts whose times are kept, each. */
const MAX_ROUTES = 256;

const NOWHERE: Route = { jobId: 0, origin: undefined };

/** Measured times of one pipeline. */
class KindTimes {
  readonly task = new SampleWindow();
  readonly call = new SampleWindow();
  readonly batchCap = new BatchCap();
  readonly reserve = new SampleWindow();
  readonly post = new SampleWindow();
  calls = 0;
  /** The way that was sized last. */
  route: Route = NOWHERE;
}

/** Measured times of one job. */
class JobTimes {
  readonly reserve = new SampleWindow();
  readonly post = new SampleWindow();
  readonly feedback = new LeaseFeedback();
  lastSizing: Sizing | undefined;
}

/** Measured times of one image host. */
class OriginTimes {
  readonly download = new SampleWindow();
  readonly imageBytes = new SampleWindow();
}

/** Times by key, bounded. One that has not been measured yet is taken for like the one that was measured last. */
class Times<Key extends string | number, Value> {
  readonly #known: LRUCache<Key, { readonly times: Value; measured: boolean }>;
  readonly #make: () => Value;
  #latest: Value | undefined;
  /** The one that was written to last: mostly the next, too. */
  #last: { readonly key: Key; readonly entry: { readonly times: Value; measured: boolean } } | undefined;

  constructor(make: () => Value) {
    this.#make = make;
    this.#known = new LRUCache({ max: MAX_ROUTES });
  }

  /** To write something down. */
  of(key: Key): Value {
    return this.#entry(key).times;
  }

  /** To add a sample. */
  measure(key: Key): Value {
    const entry = this.#entry(key);
    entry.measured = true;
    return (this.#latest = entry.times);
  }

  /** To look. */
  seen(key: Key | undefined): Value | undefined {
    const known = key === undefined ? undefined : this.#known.peek(key);
    return known?.measured ? known.times : (this.#latest ?? known?.times);
  }

  peek(key: Key): Value | undefined {
    return this.#known.peek(key)?.times;
  }

  isMeasured(key: Key): boolean {
    return this.#known.peek(key)?.measured ?? false;
  }

  #entry(key: Key): { readonly times: Value; measured: boolean } {
    if (this.#last?.key === key) return this.#last.entry;
    let known = this.#known.get(key);
    if (!known) this.#known.set(key, (known = { times: this.#make(), measured: false }));
    this.#last = { key, entry: known };
    return known;
  }
}

/**
 * Measures how long things take, each where it belongs: handlers by pipeline, downloads by image host, reserving and posting by job. Derives
 * how many tasks to hold.
 */
export class Estimator {
  readonly #kinds = new Map<string, KindTimes>();
  readonly #origins = new Times<string, OriginTimes>(() => new OriginTimes());
  readonly #jobs = new Times<number, JobTimes>(() => new JobTimes());
  #lastSizing: Sizing | undefined;

  /** The last decision; undefined before the first. */
  get lastSizing(): Sizing | undefined {
    return this.#lastSizing;
  }

  /** One handler call. @param chargeMs - busy time it took off the model (see {@link Occupancy}), for all of its tasks. */
  call(
    slug: string,
    sample: { readonly durationMs: number; readonly chargeMs: number; readonly tasks: number },
    nowMs: number,
  ): void {
    const kind = this.#kind(slug);
    kind.calls += 1;
    kind.call.add(sample.durationMs, nowMs);
    kind.task.add(sample.chargeMs / sample.tasks, nowMs);
  }

  /** The model was measured before the first task: no need to start with one. */
  warmedUp(slug: string, imageMs: number, nowMs: number): void {
    this.call(slug, { durationMs: imageMs, chargeMs: imageMs, tasks: 1 }, nowMs);
    this.#kind(slug).calls = COLD_CALLS;
  }

  download(
    origin: string,
    sample: { readonly durationMs: number; readonly bytes: number },
    nowMs: number,
  ): void {
    const times = this.#origins.measure(origin);
    times.download.add(sample.durationMs, nowMs);
    times.imageBytes.add(sample.bytes, nowMs);
  }

  /** Only answers with tasks: an empty one waits half a second for something to come. */
  reserve(slug: string, jobId: number, durationMs: number, nowMs: number): void {
    this.#kind(slug).reserve.add(durationMs, nowMs);
    this.#jobs.measure(jobId).reserve.add(durationMs, nowMs);
  }

  /** From the end of the handler to the accepted post. */
  post(jobId: number, durationMs: number, nowMs: number): void {
    this.#jobs.measure(jobId).post.add(durationMs, nowMs);
  }

  /**
   * A post was accepted.
   * @param times.lateSinceMs - when the newest task in it that was past its deadline had been reserved; undefined if all were in time.
   * @param times.longestMs - from the end of the first handler call in it.
   */
  posted(
    slug: string,
    jobId: number,
    times: { readonly lateSinceMs: number | undefined; readonly longestMs: number },
    nowMs: number,
  ): void {
    // One sample a post: every finished task would come by here otherwise.
    this.#kind(slug).post.add(times.longestMs, nowMs);
    const { feedback, lastSizing } = this.#jobs.measure(jobId);
    if (times.lateSinceMs !== undefined) feedback.late(times.lateSinceMs, nowMs);
    else if (lastSizing)
      feedback.punctual(lastSizing.bound === 'lease', 1 / Math.max(1, lastSizing.leaseCap));
  }

  /** How large the batches of a pipeline may be, from those that failed. */
  batchCap(slug: string): BatchCap {
    return this.#kind(slug).batchCap;
  }

  /** What the last sizing for this job came to; 0 before the first. */
  lastTarget(jobId: number): number {
    return this.#jobs.peek(jobId)?.lastSizing?.target ?? 0;
  }

  /** Whether anything of this job has been timed. */
  isMeasured(jobId: number): boolean {
    return this.#jobs.isMeasured(jobId);
  }

  /** Mean busy time per task; undefined before the first measurement. */
  taskMeanMs(slug: string, nowMs: number): number | undefined {
    const { count, mean } = this.#kind(slug).task.moments(nowMs);
    return count === 0 ? undefined : mean;
  }

  /** A duration that all but a few handler calls stay below; 0 before the first. */
  callHighMs(slug: string, nowMs: number): number {
    const { mean, sd } = this.#kind(slug).call.moments(nowMs);
    return mean + 2.33 * sd;
  }

  /** The 99th percentile of handler calls, from eight samples on. */
  callP99Ms(slug: string, nowMs: number): number | undefined {
    const kind = this.#kind(slug);
    return kind.call.moments(nowMs).count < 8 ? undefined : kind.call.quantile(0.99, nowMs);
  }

  /** @param origin - default: the host that was measured last. */
  imageBytes(nowMs: number, origin?: string): number {
    return this.#origins.seen(origin)?.imageBytes.quantile(0.95, nowMs) ?? ASSUMED_IMAGE_BYTES;
  }

  downloadP95Ms(nowMs: number, origin?: string): number {
    return this.#origins.seen(origin)?.download.quantile(0.95, nowMs) ?? 0;
  }

  /** Of this host alone; 0 while nothing of it has been measured. */
  ownDownloadP95Ms(nowMs: number, origin: string): number {
    return this.#origins.peek(origin)?.download.quantile(0.95, nowMs) ?? 0;
  }

  sizing(slug: string, batchSize: number, limits: SizingLimits, nowMs: number, route: Route): Sizing {
    this.#kind(slug).route = route;
    const sizing = holdTarget(this.inputs(slug, batchSize, limits, nowMs));
    this.#jobs.of(route.jobId).lastSizing = sizing;
    this.#lastSizing = sizing;
    return sizing;
  }

  /** In words. */
  explain(slug: string, batchSize: number, limits: SizingLimits, nowMs: number): string {
    const inputs = this.inputs(slug, batchSize, limits, nowMs);
    return explainSizing(slug, holdTarget(inputs), inputs);
  }

  /** What the last sizing of this pipeline went by, as it is measured now. */
  inputs(slug: string, wantedBatch: number, limits: SizingLimits, nowMs: number): SizingInputs {
    const kind = this.#kind(slug);
    const batchSize = Math.min(wantedBatch, kind.batchCap.limit);
    const { jobId, origin } = kind.route;
    const job = this.#jobs.seen(jobId);
    const task = kind.task.moments(nowMs);
    const call = kind.call.moments(nowMs);
    // Written out, not spread: this is asked with every finished task, and adding to a spread copy is the slow way to make an object.
    return {
      leaseMs: limits.leaseMs,
      lanes: limits.lanes,
      budgetBytes: limits.budgetBytes,
      maxHeld: limits.maxHeld,
      batchSize,
      wantedBatch,
      taskMeanMs: task.mean,
      // A call of several tasks shows their mean; the spread of one is larger by the root of their number.
      taskSdMs: task.sd * Math.sqrt(batchSize),
      callMeanMs: call.mean,
      callSdMs: call.sd,
      downloadP95Ms: this.downloadP95Ms(nowMs, origin),
      reserveP95Ms: job?.reserve.quantile(0.95, nowMs) ?? 0,
      postP95Ms: job?.post.quantile(0.95, nowMs) ?? 0,
      awayMs:
        2 * (kind.reserve.quantile(0.95, nowMs) ?? 0) +
        this.downloadP95Ms(nowMs, origin) +
        (kind.post.quantile(0.95, nowMs) ?? 0),
      calls: kind.calls,
      imageP95Bytes: this.imageBytes(nowMs, origin),
      leaseScale: job?.feedback.scale ?? 1,
    };
  }

  #kind(slug: string): KindTimes {
    let kind = this.#kinds.get(slug);
    if (!kind) this.#kinds.set(slug, (kind = new KindTimes()));
    return kind;
  }
}
