import { channel } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import type { BoundingBox } from '../contract/results.js';
import type { TaskDetection } from '../contract/task-detections.js';
import { silentLogger, type Logger } from '../log/logger.js';
import { systemClock, type Clock } from '../time/clock.js';
import {
  abortReason,
  HandlerAbortError,
  JoinedSignal,
  sharedController,
} from '../worker/executors/joined-signal.js';
import { EXECUTOR_DEFAULTS } from '../worker/executors/defaults.js';
import { HandlerTimeoutError } from '../worker/executors/execution-errors.js';
import type { BatchContext, BatchOutcome, Executor, ExecutorStats } from '../worker/executors/executor.js';
import { backOff, respawnDelayMs } from '../worker/executors/respawn.js';
import { ExecutorTally } from '../worker/executors/tally.js';
import type { ProcessContext, TaskImage } from '../worker/handler/handler.js';
import type { ImageTimings } from './detect.js';
import { OnnxEngine } from './engine.js';
import { EngineKeeper } from './engine-keeper.js';
import type { ResolvedDescription } from './resolve.js';

/** Names of the `node:diagnostics_channel` channels of ONNX pipelines. */
export const ONNX_CHANNELS = {
  /** An image is done; carries an {@link OnnxImageSpan}. */
  image: 'antenna-sdk:onnx:image',
} as const;

/** What {@link ONNX_CHANNELS} carry: where the time of an image went, in milliseconds. */
export interface OnnxImageSpan extends Readonly<ImageTimings> {
  readonly imageId: string;
  readonly jobId: number;
  readonly pipeline: string;
  /** From the call to the result, with waits. */
  readonly durationMs: number;
}

const images = channel(ONNX_CHANNELS.image);

/** What an executor of ONNX models is made of. */
export interface OnnxExecutorOptions {
  readonly description: ResolvedDescription;
  readonly execArgv?: readonly string[] | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

/** Runs an ONNX pipeline's images in threads of its own. */
export class OnnxExecutor implements Executor {
  readonly kind = 'thread';
  readonly endsEveryCall = true;
  readonly #options: OnnxExecutorOptions;
  readonly #clock: Clock;
  readonly #tally = new ExecutorTally();
  readonly #closing = sharedController();
  readonly #keeper = new EngineKeeper();
  /** Errors that were counted: all the images of a dead engine have the same one, and it died once. */
  readonly #counted = new WeakSet<object>();
  #busy = 0;

  constructor(options: OnnxExecutorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** @throws AntennaConfigError when a model does not fit its description. */
  async warmUp(context?: ProcessContext): Promise<number | undefined> {
    const signal = new JoinedSignal([this.#closing.signal, ...(context ? [context.signal] : [])]);
    try {
      await this.#started(context?.logger ?? silentLogger, signal.signal);
    } catch (error) {
      const cause = why(error, signal.signal);
      this.#failed(cause);
      throw cause;
    } finally {
      signal.dispose();
    }
    return undefined;
  }

  async run(batch: readonly TaskImage[], context: BatchContext): Promise<readonly BatchOutcome[]> {
    const call = new AbortController();
    const signal = new JoinedSignal([this.#closing.signal, context.signal, call.signal]);
    const timeoutMs = (context.timeoutMs ?? EXECUTOR_DEFAULTS.timeoutMs) * Math.max(1, batch.length);
    let stuck: unknown;
    const cancel = this.#clock.schedule(timeoutMs, () => {
      stuck = this.#keeper.current;
      call.abort(new HandlerTimeoutError(timeoutMs));
    });
    this.#busy += 1;
    try {
      const inner = { ...context, signal: signal.signal };
      return await Promise.all(batch.map((image) => this.#outcome(image, inner)));
    } finally {
      this.#busy -= 1;
      cancel();
      signal.dispose();
      // A model that never returns holds its thread, and every call after it would wait as long.
      if (call.signal.aborted) await this.#keeper.replace(stuck);
    }
  }

  async close({ graceMs }: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    this.#closing.abort(new HandlerAbortError('shutdown'));
    await this.#keeper.close(graceMs);
  }

  stats(): ExecutorStats {
    return this.#tally.stats(this.kind, this.#busy);
  }

  async #outcome(image: TaskImage, context: BatchContext): Promise<BatchOutcome> {
    const startedAt = performance.now();
    try {
      const engine = await this.#started(context.logger, context.signal);
      const { result, timings } = await engine.process(
        { bytes: image.bytes, known: image.detections.map(boxOf) },
        context.transferBytes === true,
        context.signal,
      );
      this.#tally.succeeded();
      if (images.hasSubscribers)
        images.publish({
          imageId: image.id,
          jobId: image.jobId,
          pipeline: this.#options.description.config.slug,
          durationMs: performance.now() - startedAt,
          ...timings,
        } satisfies OnnxImageSpan);
      return { ok: true, result };
    } catch (error) {
      const cause = why(error, context.signal);
      this.#failed(cause);
      return { ok: false, error: cause };
    }
  }

  #failed(cause: unknown): void {
    if (typeof cause === 'object' && cause !== null) {
      if (this.#counted.has(cause)) return;
      this.#counted.add(cause);
    }
    this.#tally.failed(cause);
  }

  /** The engine, started again after a death: at once the first time, then after growing waits. */
  async #started(logger: Logger, signal: AbortSignal): Promise<OnnxEngine> {
    if (signal.aborted) throw abortReason(signal);
    const { description, execArgv, random = Math.random } = this.#options;
    return await this.#keeper.get(async (giveUp) => {
      await backOff(this.#clock, respawnDelayMs(this.#tally.consecutiveCrashes, random), giveUp);
      return await OnnxEngine.start({ description, logger, execArgv, signal: giveUp });
    }, signal);
  }
}

/** The numbers of a box alone: a server may send more with it. */
function boxOf({ bbox: { x1, y1, x2, y2 } }: TaskDetection): BoundingBox {
  return { x1, y1, x2, y2 };
}

/** Why an image has no result: its own error, or the abort of its call in the words of all executors. */
function why(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted) return error;
  return signal.reason instanceof HandlerTimeoutError ? signal.reason : abortReason(signal);
}
