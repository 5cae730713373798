import { BatchCap } from './batch-cap.js';
import { explainSizing } from './explain.js';
import { COLD_CALLS, holdTarget, type Sizing, type SizingInputs } from './hold-target.js';
import { LeaseFeedback } from './lease-feedback.js';
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

/** Measured times of one pipeline. */
class KindTimes {
  readonly task = new SampleWindow();
  readonly call = new SampleWindow();
  readonly feedback = new LeaseFeedback();
  readonly batchCap = new BatchCap();
  calls = 0;
  lastSizing: Sizing | undefined;
}

/** Measures how long things take, per pipeline where it depends on the model, and derives how many tasks to hold. */
export class Estimator {
  readonly #kinds = new Map<string, KindTimes>();
  readonly #download = new SampleWindow();
  readonly #imageBytes = new SampleWindow();
  readonly #reserve = new SampleWindow();
  readonly #post = new SampleWindow();
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

  download(durationMs: number, bytes: number, nowMs: number): void {
    this.#download.add(durationMs, nowMs);
    this.#imageBytes.add(bytes, nowMs);
  }

  /** Only answers with tasks: an empty one waits half a second for something to come. */
  reserve(durationMs: number, nowMs: number): void {
    this.#reserve.add(durationMs, nowMs);
  }

  /** From the end of the handler to the accepted post. */
  post(durationMs: number, nowMs: number): void {
    this.#post.add(durationMs, nowMs);
  }

  /**
   * A post was accepted.
   * @param lateSinceMs - when the newest task in it that was past its deadline had been reserved; undefined if all were in time.
   */
  posted(slug: string, lateSinceMs: number | undefined, nowMs: number): void {
    const { feedback, lastSizing } = this.#kind(slug);
    if (lateSinceMs !== undefined) feedback.late(lateSinceMs, nowMs);
    else if (lastSizing)
      feedback.punctual(lastSizing.bound === 'lease', 1 / Math.max(1, lastSizing.leaseCap));
  }

  /** How large the batches of a pipeline may be, from those that failed. */
  batchCap(slug: string): BatchCap {
    return this.#kind(slug).batchCap;
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

  imageBytes(nowMs: number): number {
    return this.#imageBytes.quantile(0.95, nowMs) ?? ASSUMED_IMAGE_BYTES;
  }

  downloadP95Ms(nowMs: number): number {
    return this.#download.quantile(0.95, nowMs) ?? 0;
  }

  sizing(slug: string, batchSize: number, limits: SizingLimits, nowMs: number): Sizing {
    const sizing = holdTarget(this.inputs(slug, batchSize, limits, nowMs));
    this.#kind(slug).lastSizing = sizing;
    this.#lastSizing = sizing;
    return sizing;
  }

  /** In words. */
  explain(slug: string, batchSize: number, limits: SizingLimits, nowMs: number): string {
    const inputs = this.inputs(slug, batchSize, limits, nowMs);
    return explainSizing(slug, holdTarget(inputs), inputs);
  }

  inputs(slug: string, wantedBatch: number, limits: SizingLimits, nowMs: number): SizingInputs {
    const kind = this.#kind(slug);
    const batchSize = Math.min(wantedBatch, kind.batchCap.limit);
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
      downloadP95Ms: this.downloadP95Ms(nowMs),
      reserveP95Ms: this.#reserve.quantile(0.95, nowMs) ?? 0,
      postP95Ms: this.#post.quantile(0.95, nowMs) ?? 0,
      calls: kind.calls,
      imageP95Bytes: this.imageBytes(nowMs),
      leaseScale: kind.feedback.scale,
    };
  }

  #kind(slug: string): KindTimes {
    let kind = this.#kinds.get(slug);
    if (!kind) this.#kinds.set(slug, (kind = new KindTimes()));
    return kind;
  }
}
