import { readTaskDetections } from '../../contract/task-detections.js';
import { Downloader } from '../images/download.js';
import type { Executor, ExecutorStats } from '../executors/executor.js';
import { Outbox } from '../outbox/outbox.js';
import type { Fate } from '../task/outcome.js';
import { SpoolKeeper } from '../spool/spool-keeper.js';
import { DownloadStage } from '../stages/download-stage.js';
import { processContext } from '../stages/handler-call.js';
import { ProcessStage } from '../stages/process-stage.js';
import { readConfig } from '../handler/task-config.js';
import { refOf, type RunContext } from '../run/context.js';
import { Intake } from './intake.js';
import { Outcomes } from './outcomes.js';
import type { WorkItem } from '../task/work-item.js';

/** Whom the engine tells. */
export interface EngineHooks {
  readonly accepted: (jobId: number) => void;
  readonly gone: (jobId: number) => void;
  readonly rejected: (jobId: number, reason: string) => void;
}

/**
 * The stages a task passes, wired together: intake → download → process → encode → outbox. Each takes work whenever it has room;
 * how much there is at all is decided before the intake.
 */
export class Engine {
  readonly intake: Intake;
  readonly outbox: Outbox;
  readonly #downloader: Downloader;
  readonly #downloads: DownloadStage;
  readonly #process: ProcessStage;
  readonly #outcomes: Outcomes;
  readonly #executors: ReadonlyMap<string, Executor>;
  readonly #context: RunContext;
  readonly #spool: SpoolKeeper | undefined;

  constructor(context: RunContext, hooks: EngineHooks) {
    const { options, clock } = context;
    this.#context = context;
    this.#spool = options.spool && new SpoolKeeper(context, options.spool);
    this.#executors = new Map(
      [...options.pipelines.values()].map((pipeline) => [pipeline.slug, pipeline.createExecutor(clock)]),
    );
    this.outbox = new Outbox(context, hooks, this.#spool);
    this.#outcomes = new Outcomes(context, this.outbox);
    this.#process = new ProcessStage(context, this.#executors, this.#outcomes);
    this.#downloader = new Downloader({
      clock,
      random: options.random,
      limits: options.download,
      fetch: options.fetch,
    });
    this.#downloads = new DownloadStage(context, this.#downloader, {
      downloaded: (item) => {
        this.#process.offer(item);
      },
      failed: (item, error) => {
        this.#outcomes.failed(item, error);
      },
    });
    this.intake = new Intake(context, this.outbox, {
      start: (items) => {
        this.#downloads.offer(items.filter((item) => this.#canBeRead(item)));
      },
      fail: (item, error) => {
        this.#outcomes.failed(item, error);
      },
    });
  }

  /** Handler calls that run. */
  get processing(): number {
    return this.#process.running;
  }

  /** Whether results of an earlier process wait to be posted. */
  get isReplaying(): boolean {
    return this.#spool?.isReplaying ?? false;
  }

  /** Files and bytes on disk; undefined without a spool. */
  get spoolSize(): SpoolKeeper['size'] | undefined {
    return this.#spool?.size;
  }

  /** Facts about the executors, by pipeline. */
  get executorStats(): Readonly<Record<string, ExecutorStats>> {
    const stats: Record<string, ExecutorStats> = {};
    for (const [slug, executor] of this.#executors) {
      const known = executor.stats?.();
      if (known) stats[slug] = known;
    }
    return stats;
  }

  /** Why no task of a pipeline should be taken now; undefined if it may. */
  closedBecause(slug: string): string | undefined {
    return this.#executors.get(slug)?.unavailable?.();
  }

  /** Pipelines that take no tasks, in words. */
  get closed(): readonly string[] {
    return [...this.#executors.keys()].flatMap((slug) => {
      const reason = this.closedBecause(slug);
      return reason === undefined ? [] : [`no tasks are taken for pipeline ${slug}: ${reason}`];
    });
  }

  /** Takes the spool's lock, and posts what an earlier process left. @throws AntennaError when another process holds it. */
  async openSpool(): Promise<void> {
    await this.#spool?.open();
  }

  /** Whether the disk takes results again, after it did not. */
  async probeSpool(): Promise<void> {
    await this.#spool?.probe();
  }

  /** Loads the models, so that no task waits for it. @throws HandlerStartError when one cannot be loaded. */
  async warmUp(): Promise<void> {
    const { phases, estimator, clock } = this.#context;
    for (const [slug, executor] of this.#executors) {
      if (phases.drain.aborted) return;
      const imageMs = await executor.warmUp?.(processContext(undefined, [], this.#context, phases.hard));
      if (imageMs !== undefined) estimator.warmedUp(slug, imageMs, clock.now());
    }
  }

  /** Reads what the server sent beside the image; a configuration that the pipeline refuses is the task's error. */
  #canBeRead(item: WorkItem): boolean {
    const { detections, leftOut } = readTaskDetections(item.task);
    item.detections = detections;
    const { jobId, imageId } = refOf(item);
    if (leftOut.length > 0)
      this.#context.logger.warn(
        { job: jobId, task: imageId, issues: leftOut },
        'a task has boxes that cannot be read; the handler gets the others',
      );
    try {
      item.config = readConfig(item.pipeline, item.task);
      return true;
    } catch (error) {
      this.#outcomes.failed(item, error);
      return false;
    }
  }

  /** A task left the worker; memory and slots may be free. */
  settled(item: WorkItem, fate: Fate): void {
    this.intake.settled(item, fate);
  }

  /** Tells the register of trouble what does not end, and lets go of what others have by now. */
  watch(nowMs: number): void {
    this.#context.origins.watch(nowMs);
    this.#process.watch(nowMs);
    this.outbox.watch(nowMs);
    this.#downloads.sweep();
    // A host in trouble is tried again when its time has come, and nobody else tells.
    this.#downloads.pump();
  }

  /** Lets every stage look again. */
  pumpAll(): void {
    this.#downloads.pump();
    this.#process.pump();
    this.outbox.pump();
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    await this.#downloads.idle();
    await this.#process.idle();
    await this.#outcomes.idle();
    await this.outbox.idle();
  }

  async close(): Promise<void> {
    this.#process.dispose();
    await Promise.all([
      this.#spool?.close(),
      this.#downloader.close(),
      ...[...this.#executors.values()].map((executor) => executor.close()),
    ]);
  }
}
