import { channel } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import { silentLogger } from '../log/logger.js';
import { systemClock, type Clock } from '../time/clock.js';
import { abortReason, HandlerAbortError } from '../worker/executors/abort-reason.js';
import { EXECUTOR_DEFAULTS } from '../worker/executors/defaults.js';
import { HandlerTimeoutError } from '../worker/executors/execution-errors.js';
import type { BatchContext, BatchOutcome, Executor, ExecutorStats } from '../worker/executors/executor.js';
import { JoinedSignal, sharedController } from '../worker/executors/joined-signal.js';
import { backOff, respawnDelayMs } from '../worker/executors/respawn.js';
import { ExecutorTally } from '../worker/executors/tally.js';
import type { ProcessContext, TaskImage } from '../worker/pipeline.js';
import type { ImageTimings } from './detect.js';
import { OnnxEngine } from './engine.js';
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
  #engine: Promise<OnnxEngine> | undefined;
  #busy = 0;

  constructor(options: OnnxExecutorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** @throws AntennaConfigError when a model does not fit its description. */
  async warmUp(context?: ProcessContext): Promise<number | undefined> {
    await this.#started({ logger: silentLogger, signal: this.#closing.signal, ...context });
    return undefined;
  }

  async run(batch: readonly TaskImage[], context: BatchContext): Promise<readonly BatchOutcome[]> {
    const call = new AbortController();
    const signal = new JoinedSignal([this.#closing.signal, context.signal, call.signal]);
    const timeoutMs = (context.timeoutMs ?? EXECUTOR_DEFAULTS.timeoutMs) * Math.max(1, batch.length);
    const cancel = this.#clock.schedule(timeoutMs, () => {
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
      if (call.signal.aborted) await this.#restart();
    }
  }

  async close({ graceMs }: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    this.#closing.abort(new HandlerAbortError('shutdown'));
    const engine = this.#engine;
    this.#engine = undefined;
    await engine?.then((running) => running.close(graceMs)).catch(() => undefined);
  }

  stats(): ExecutorStats {
    return this.#tally.stats(this.kind, this.#busy);
  }

  async #outcome(image: TaskImage, context: BatchContext): Promise<BatchOutcome> {
    const startedAt = performance.now();
    try {
      const engine = await this.#started(context);
      const { result, timings } = await engine.process(
        image.bytes,
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
      this.#tally.failed(cause);
      return { ok: false, error: cause };
    }
  }

  /** The engine, started again after a death: at once the first time, then after growing waits. */
  async #started({ logger, signal }: Pick<BatchContext, 'logger' | 'signal'>): Promise<OnnxEngine> {
    if (signal.aborted) throw abortReason(signal);
    this.#engine ??= this.#start(logger, signal);
    const starting = this.#engine;
    try {
      const engine = await starting;
      if (!engine.death) return engine;
    } catch (error) {
      if (this.#engine === starting) this.#engine = undefined;
      throw error;
    }
    if (this.#engine === starting) this.#engine = this.#start(logger, signal);
    return await this.#engine;
  }

  async #start(logger: BatchContext['logger'], signal: AbortSignal): Promise<OnnxEngine> {
    const { description, execArgv, random = Math.random } = this.#options;
    await backOff(this.#clock, respawnDelayMs(this.#tally.consecutiveCrashes, random), signal);
    return await OnnxEngine.start({ description, logger, execArgv });
  }

  async #restart(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    await engine?.then((running) => running.close(0)).catch(() => undefined);
  }
}

/** Why an image has no result: its own error, or the abort of its call in the words of all executors. */
function why(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted) return error;
  return signal.reason instanceof HandlerTimeoutError ? signal.reason : abortReason(signal);
}
