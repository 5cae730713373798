import { outboxEntry } from '../outbox/entry.js';
import { foundBoxes } from '../handler/found-boxes.js';
import type { Outbox } from '../outbox/outbox.js';
import { errorOutcome, type Outcome } from '../task/outcome.js';
import type { ProcessResult } from '../handler/handler.js';
import { ResultEncoder } from '../results/encode.js';
import { publishSpan } from '../observe/spans.js';
import { errorText, judge } from '../results/verdict.js';
import { refOf, type RunContext } from '../run/context.js';
import { TaskSet } from '../task/task-set.js';
import type { WorkItem } from '../task/work-item.js';

/** Decides what a processed or failed task becomes: a success, an error result, or nothing until its next delivery. */
export class Outcomes {
  readonly #context: RunContext;
  readonly #outbox: Outbox;
  readonly #encoder = new ResultEncoder();
  readonly #tasks: TaskSet;

  constructor(context: RunContext, outbox: Outbox) {
    this.#context = context;
    this.#outbox = outbox;
    this.#tasks = new TaskSet((error) => {
      context.note(error, 'encoding a result');
    });
  }

  processed(item: WorkItem, result: ProcessResult): void {
    const { clock } = this.#context;
    item.computedAtMs = clock.now();
    const startedAtMs = performance.now();
    const timing = {
      timestamp: new Date(clock.wallNow()).toISOString(),
      totalTimeMs: this.#durationMs(item, item.computedAtMs),
      config: item.config?.echo,
    };
    try {
      const outcome = this.#encoder.encode(item.pipeline, item.task, result, timing);
      if (outcome instanceof Promise)
        this.#tasks.start(() => this.#later(item, result, outcome, startedAtMs));
      else this.#encoded(item, result, outcome, startedAtMs);
    } catch (error) {
      if (item.stage !== 'settled') this.failed(item, error);
    }
  }

  failed(item: WorkItem, error: unknown): void {
    const { hold, bus, tally, options, clock, client, failures } = this.#context;
    const where = item.computedAtMs !== undefined ? 'encode' : item.image ? 'process' : 'download';
    const nowMs = clock.now();
    item.computedAtMs ??= nowMs;
    const text = errorText(error);
    const verdict = judge(error, item.delivery, options.rules.maxDeliveries);
    const { jobId, imageId, attempt } = refOf(item);
    client.logger.info({ job: jobId, task: imageId, attempt, error: text, reason: verdict }, 'a task failed');
    const outcome = verdict === 'let-lapse' ? 'lapsed' : 'error';
    failures?.add(item, outcome, where, error);
    bus.emit('task', {
      ...refOf(item),
      outcome,
      detections: 0,
      durationMs: this.#durationMs(item, nowMs),
      error: text,
    });
    if (verdict === 'let-lapse') {
      hold.settle(item, 'lapsed');
      return;
    }
    tally.add(item.jobId, 'failed');
    item.image = undefined;
    this.#outbox.offer(outboxEntry(item, errorOutcome(item.task.image_id, text), clock.now()));
  }

  idle(): Promise<void> {
    return this.#tasks.idle();
  }

  /** A large result takes its time. */
  async #later(
    item: WorkItem,
    result: ProcessResult,
    outcome: Promise<Outcome>,
    startedAtMs: number,
  ): Promise<void> {
    try {
      this.#encoded(item, result, await outcome, startedAtMs);
    } catch (error) {
      if (item.stage !== 'settled') this.failed(item, error);
    }
    this.#context.changed();
  }

  #encoded(item: WorkItem, result: ProcessResult, encoded: Outcome, startedAtMs: number): void {
    const { clock, bus, tally } = this.#context;
    const encodeMs = performance.now() - startedAtMs;
    publishSpan('encode', () => ({ ...refOf(item), durationMs: encodeMs }));
    if (item.stage === 'settled') return;
    const { jobId, task, delivery: attempt } = item;
    tally.add(jobId, 'succeeded');
    const nowMs = clock.now();
    bus.emit('task', {
      jobId,
      imageId: task.image_id,
      attempt,
      outcome: 'success',
      detections: result.detections.length,
      durationMs: this.#durationMs(item, nowMs),
      encodeMs,
    });
    if (bus.hears('found')) {
      const boxes = foundBoxes(item.pipeline, result);
      bus.emit('found', { ...refOf(item), imageUrl: task.image_url, boxes });
    }
    // The image is of no more use; its memory makes room for the next download.
    item.image = undefined;
    this.#outbox.offer(outboxEntry(item, encoded, nowMs));
  }

  #durationMs({ startedAtMs }: WorkItem, nowMs: number): number {
    return nowMs - (startedAtMs ?? nowMs);
  }
}
