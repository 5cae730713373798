import type { AntennaClient } from '../client.js';
import type { Task } from '../contract/tasks.js';
import { AntennaConfigError } from '../errors/config.js';
import { AntennaTimeoutError } from '../errors/timeout.js';
import { encodeResult } from '../resources/results.js';
import { Deadline } from '../time/deadline.js';
import { deliveryNumber } from './delivery.js';
import type { Downloader } from './download.js';
import type { WorkerEventBus } from './events.js';
import { errorOutcome, type Outcome } from './outcome.js';
import type { Pipeline, ProcessResult, TaskImage } from './pipeline.js';
import { buildSuccess } from './result-builder.js';
import { PermanentTaskError, RetryableTaskError } from './task-errors.js';
import { errorText, judge } from './verdict.js';

/** What a task is run with. */
export interface TaskRunnerOptions {
  readonly client: AntennaClient;
  readonly downloader: Downloader;
  readonly bus: WorkerEventBus;
  readonly maxDeliveries: number;
  /** A handler that takes longer is aborted, and its task fails. */
  readonly processTimeoutMs: number;
}

/** A task with what its job says about it. */
export interface HeldTask {
  readonly task: Task;
  readonly jobId: number;
  readonly pipeline: Pipeline;
  /** On the monotonic clock, from the moment the reservation was sent. */
  readonly leaseEndsAt: number;
}

/** Turns one task into one outcome: download, handler, checks, encoding. */
export class TaskRunner {
  readonly #options: TaskRunnerOptions;

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
  }

  /**
   * Runs a task.
   * @param signal - ends it without an outcome.
   * @returns the outcome, or undefined if the lease is to lapse so that the task is delivered again.
   * @throws the signal's reason when it aborts; nothing else.
   */
  async run(held: HeldTask, signal: AbortSignal): Promise<Outcome | undefined> {
    const { clock } = this.#options.client;
    const startedAt = clock.now();
    const { task, jobId } = held;
    const report = (outcome: 'success' | 'error' | 'lapsed', detections: number, error?: string): void => {
      const durationMs = clock.now() - startedAt;
      const failure = error === undefined ? {} : { error };
      this.#options.bus.emit('task', {
        jobId,
        imageId: task.image_id,
        outcome,
        detections,
        durationMs,
        ...failure,
      });
    };
    try {
      const { outcome, detections } = await this.#succeed(held, startedAt, signal);
      report('success', detections);
      return outcome;
    } catch (error) {
      signal.throwIfAborted();
      const text = errorText(error);
      if (judge(error, deliveryNumber(task.reply_subject), this.#options.maxDeliveries) === 'let-lapse') {
        report('lapsed', 0, text);
        return undefined;
      }
      report('error', 0, text);
      return errorOutcome(task, text);
    }
  }

  async #succeed(
    held: HeldTask,
    startedAt: number,
    signal: AbortSignal,
  ): Promise<{ outcome: Outcome; detections: number }> {
    const { task, jobId, pipeline } = held;
    const { clock } = this.#options.client;
    const { bytes, contentType } = await this.#options.downloader.download(task.image_url, signal);
    const image: TaskImage = { id: task.image_id, url: task.image_url, bytes, contentType, jobId };
    const output = await this.#process(held, image, signal);
    const result = buildSuccess(pipeline, task, output, {
      timestamp: new Date(clock.wallNow()).toISOString(),
      totalTimeMs: clock.now() - startedAt,
    });
    try {
      const encoded = encodeResult({ reply_subject: task.reply_subject, result });
      const outcome: Outcome = {
        kind: 'success',
        imageId: task.image_id,
        replySubject: task.reply_subject,
        encoded,
      };
      return { outcome, detections: result.detections.length };
    } catch (error) {
      if (error instanceof AntennaConfigError) throw new PermanentTaskError(error.message);
      throw error;
    }
  }

  /** Calls the handler, and once more if it threw: an error result is final, and a second try is cheap beside a lost image. */
  async #process(held: HeldTask, image: TaskImage, signal: AbortSignal): Promise<ProcessResult> {
    try {
      return await this.#callHandler(held, image, signal);
    } catch (error) {
      const decided =
        error instanceof PermanentTaskError ||
        error instanceof RetryableTaskError ||
        error instanceof AntennaTimeoutError;
      if (decided || signal.aborted) throw error;
      this.#options.bus.emit('error', {
        error,
        doing: 'processing an image; trying once more',
        jobId: held.jobId,
      });
      return this.#callHandler(held, image, signal);
    }
  }

  async #callHandler(held: HeldTask, image: TaskImage, signal: AbortSignal): Promise<ProcessResult> {
    const { clock, logger } = this.#options.client;
    const { processTimeoutMs } = this.#options;
    const deadline = new Deadline({ clock, timeoutMs: processTimeoutMs, signal });
    try {
      const work = held.pipeline.process(image, {
        signal: deadline.signal,
        config: held.task.config ?? {},
        logger,
        deadline: { remainingMs: () => Math.max(0, held.leaseEndsAt - clock.now()) },
      });
      return await deadline.race(work);
    } catch (error) {
      if (!signal.aborted && error instanceof AntennaTimeoutError && deadline.signal.aborted) {
        throw new PermanentTaskError(`the handler took longer than ${processTimeoutMs} ms`);
      }
      throw error;
    } finally {
      deadline.dispose();
    }
  }
}
