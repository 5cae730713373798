import { AntennaError } from '../../errors/base.js';
import type { BatchOutcome, Executor } from '../executors/executor.js';
import { WORKER_DEFAULTS } from '../run/options.js';
import type { ProcessResult } from '../handler/handler.js';
import { limitsOf, type RunContext } from '../run/context.js';
import { TaskSet } from '../task/task-set.js';
import type { WorkItem } from '../task/work-item.js';
import { Occupancy } from '../policy/sizing/sample-window.js';
import { isDecided } from '../results/verdict.js';
import { BatchTrial } from '../policy/sizing/batch-cap.js';
import { learnFrom, MAX_COMPANY_WAIT_MS, shouldWait, smallerParts, wantsSmaller } from './batch.js';
import { ProcessLanes, type LanesPort } from './process-lanes.js';
import { callHandler, handlerTimeoutMs, type CallPort } from './handler-call.js';
import { pickNext, type PickPort } from './pick.js';
import { publishSpan } from '../observe/spans.js';

/** What processing needs of a run. */
export type ProcessPort = Pick<
  RunContext,
  | 'options'
  | 'clock'
  | 'logger'
  | 'bus'
  | 'leases'
  | 'estimator'
  | 'hold'
  | 'phases'
  | 'troubles'
  | 'note'
  | 'changed'
> &
  PickPort &
  CallPort &
  LanesPort;

/** Where processed and failed tasks go. */
export interface ProcessSink {
  readonly processed: (item: WorkItem, result: ProcessResult) => void;
  readonly failed: (item: WorkItem, error: unknown) => void;
}

/** Runs handlers: as many calls side by side as there are lanes, each with images of one job. */
export class ProcessStage {
  readonly #context: ProcessPort;
  readonly #executors: ReadonlyMap<string, Executor>;
  readonly #sink: ProcessSink;
  readonly #tasks: TaskSet;
  readonly #occupancy = new Occupancy();
  readonly #lanes: ProcessLanes;
  #ready: WorkItem[] = [];
  #nextTurn: NodeJS.Immediate | undefined;
  #cancelWait: () => void = () => undefined;

  /** @param executors - by pipeline. */
  constructor(context: ProcessPort, executors: ReadonlyMap<string, Executor>, sink: ProcessSink) {
    this.#context = context;
    this.#executors = executors;
    this.#sink = sink;
    this.#lanes = new ProcessLanes(context);
    this.#tasks = new TaskSet((error) => {
      context.note(error, 'processing images');
    });
  }

  /** Handler calls that run. */
  get running(): number {
    return this.#occupancy.running;
  }

  offer(item: WorkItem): void {
    item.readyAtMs = this.#context.clock.now();
    this.#ready.push(item);
    this.pump();
  }

  /**
   * Lets as many handler calls start as may run, in the next turn of the event loop. Called whenever something changed; harmless
   * otherwise.
   *
   * Not at once: a handler that computes in this thread would follow on itself for as long as images are ready, and nothing be read,
   * downloaded or posted meanwhile. What has arrived is taken up first, and a batch handler gets it together.
   */
  pump(): void {
    this.#nextTurn ??= setImmediate(() => {
      this.#nextTurn = undefined;
      this.#startCalls();
    });
  }

  idle(): Promise<void> {
    return this.#tasks.idle();
  }

  /** Tells the register of calls that do not end. */
  watch(nowMs: number): void {
    this.#lanes.watch(nowMs);
  }

  dispose(): void {
    clearImmediate(this.#nextTurn);
    this.#cancelWait();
  }

  #startCalls(): void {
    const { clock } = this.#context;
    this.#cancelWait();
    // One pipeline that waits for company keeps no other waiting.
    const passed = new Set<string>();
    while (this.#ready.length > 0 && !this.#lanes.isFull) {
      const slug = this.#lanes.next(this.#ready, passed, clock.now());
      if (slug === undefined || passed.has(slug)) return;
      const first = this.#takeFirst(slug);
      const batch = first && this.#company(first);
      if (batch) this.#begin(slug, batch);
      else passed.add(slug);
    }
  }

  #begin(slug: string, batch: readonly [WorkItem, ...WorkItem[]]): void {
    const call = { jobId: batch[0].jobId, startedAtMs: this.#context.clock.now() };
    for (const item of batch) item.stage = 'processing';
    this.#lanes.begin(slug, call);
    this.#tasks.start(async () => {
      try {
        await this.#process(batch);
      } finally {
        this.#lanes.end(slug, call);
        // Lets this stage look again, too.
        this.#context.changed();
      }
    });
  }

  /** The image of this pipeline to start next; those that are not worth starting leave the worker. */
  #takeFirst(slug: string): WorkItem | undefined {
    const { clock, options, estimator } = this.#context;
    const isOnly = options.pipelines.size === 1;
    const queue = isOnly ? this.#ready : this.#ready.filter(({ pipeline }) => pipeline.slug === slug);
    const waiting = queue.length;
    const first = pickNext(queue, this.#context, () => estimator.callHighMs(slug, clock.now()));
    if (!isOnly) this.#ready = this.#ready.filter((item) => item !== first && item.stage === 'ready');
    // A task that left here has freed memory which a download may be waiting for, and nobody else tells it.
    if (queue.length < waiting - (first ? 1 : 0)) this.#context.changed();
    return first;
  }

  /** The images that go with the first, or undefined while it is worth waiting for more. */
  #company(first: WorkItem): [WorkItem, ...WorkItem[]] | undefined {
    const { slug, batchSize } = first.pipeline;
    if (batchSize === 1) return [first];
    const { estimator, clock } = this.#context;
    const route = { jobId: first.jobId, origin: first.origin };
    const { modelBatch } = estimator.sizing(slug, batchSize, limitsOf(this.#context), clock.now(), route);
    const others = this.#ready.filter(({ jobId }) => jobId === first.jobId);
    if (shouldWait(first, others.length + 1, modelBatch, this.#context)) {
      this.#ready.unshift(first);
      this.#cancelWait = clock.schedule(MAX_COMPANY_WAIT_MS, () => {
        this.pump();
      });
      return undefined;
    }
    const batch: [WorkItem, ...WorkItem[]] = [first];
    while (batch.length < modelBatch) {
      const next = pickNext(others, this.#context, () => 0);
      if (!next) break;
      batch.push(next);
    }
    this.#ready = this.#ready.filter((item) => item.stage === 'ready' && !batch.includes(item));
    return batch;
  }

  async #process(batch: readonly [WorkItem, ...WorkItem[]]): Promise<void> {
    const { clock, bus, estimator, troubles } = this.#context;
    const [first] = batch;
    const startedAt = clock.now();
    const release = this.#occupancy.begin(startedAt);
    const trial = new BatchTrial();
    const failed = await this.#attempt(batch, trial);
    const endedAt = clock.now();
    const sample = { durationMs: endedAt - startedAt, chargeMs: release(endedAt), tasks: batch.length };
    estimator.call(first.pipeline.slug, sample, endedAt);
    const { jobId, pipeline } = first;
    learnFrom(trial, first, this.#context);
    const { durationMs } = sample;
    if (failed < batch.length) troubles.worked('handler', pipeline.slug, endedAt);
    else troubles.failed('handler', pipeline.slug, endedAt, { detail: '', jobId });
    bus.emit('batch_done', { jobId, pipeline: pipeline.slug, tasks: batch.length, failed, durationMs });
    publishSpan('process', () => ({ jobId, tasks: batch.length, durationMs }));
  }

  /**
   * Processes a batch; if it fails as a whole, its halves, down to single images, each of which gets a second try: an error result is
   * final, and a second try is cheap beside a lost image.
   * @returns how many failed.
   */
  async #attempt(batch: readonly WorkItem[], trial: BatchTrial, attempt = 1): Promise<number> {
    let outcomes: readonly BatchOutcome[];
    try {
      const timeoutMs = this.#timeoutMs(batch);
      outcomes = await callHandler(this.#executorOf(batch), batch, this.#context, timeoutMs, trial);
    } catch (error) {
      return this.#afterThrow(batch, error, trial, attempt);
    }
    let failed = 0;
    const crowded: WorkItem[] = [];
    for (const [index, item] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok) this.#sink.processed(item, outcome.result);
      else if (wantsSmaller(item, outcome?.error, batch.length, trial)) crowded.push(item);
      else failed += await this.#afterThrow([item], outcome?.error, trial, batch.length > 1 ? 1 : attempt);
    }
    for (const part of smallerParts(crowded, batch.length, trial)) failed += await this.#attempt(part, trial);
    return failed;
  }

  async #afterThrow(
    batch: readonly WorkItem[],
    error: unknown,
    trial: BatchTrial,
    attempt: number,
  ): Promise<number> {
    const { phases, bus } = this.#context;
    const [first] = batch;
    if (!first) return 0;
    if (!phases.hard.aborted && batch.length > 1) {
      bus.emit('error', { error, doing: 'processing a batch; trying its halves', jobId: first.jobId });
      const middle = Math.ceil(batch.length / 2);
      const head = await this.#attempt(batch.slice(0, middle), trial);
      return head + (await this.#attempt(batch.slice(middle), trial));
    }
    if (!phases.hard.aborted && attempt === 1 && !isDecided(error)) {
      bus.emit('error', { error, doing: 'processing an image; trying once more', jobId: first.jobId });
      return this.#attempt(batch, trial, 2);
    }
    for (const item of batch) {
      if (phases.hard.aborted) this.#context.hold.settle(item, 'abandoned');
      else this.#sink.failed(item, error);
    }
    return batch.length;
  }

  #executorOf([first]: readonly WorkItem[]): Executor {
    const executor = first && this.#executors.get(first.pipeline.slug);
    if (executor) return executor;
    throw new AntennaError({ code: 'no_executor', message: 'The pipeline of a task has no executor' });
  }

  #timeoutMs([first]: readonly WorkItem[]): number {
    const { options, estimator, clock } = this.#context;
    const p99 = first && estimator.callP99Ms(first.pipeline.slug, clock.now());
    return handlerTimeoutMs(options.processTimeoutMs, WORKER_DEFAULTS.processTimeoutMs, p99);
  }
}
