import type { AntennaClient } from '../client.js';
import type { Task } from '../contract/tasks.js';
import { AntennaAbortError } from '../errors/abort.js';
import { AntennaApiError } from '../errors/api.js';
import { AntennaConfigError } from '../errors/config.js';
import { NotFoundError, PermissionDeniedError } from '../errors/status.js';
import { sleep } from '../time/clock.js';
import { batchSize, updateMean } from './batch-size.js';
import { Downloader } from './download.js';
import type { WorkerEventBus } from './events.js';
import { JobBoard, type OpenJob } from './job-board.js';
import { WORKER_DEFAULTS, type ResolvedWorkerOptions } from './options.js';
import type { Outcome } from './outcome.js';
import { ResultPoster } from './poster.js';
import type { Tally } from './report.js';
import { TaskRunner } from './task-runner.js';

/** How a run is told to end: `drain` stops taking tasks, `hard` stops everything. */
export interface RunSignals {
  readonly drain: AbortSignal;
  readonly hard: AbortSignal;
}

/** One run of a worker, from registration to the last post. Each `run()` owns a fresh one, so nothing carries over. */
export class WorkerRun {
  readonly #options: ResolvedWorkerOptions;
  readonly #client: AntennaClient;
  readonly #bus: WorkerEventBus;
  readonly #tally: Tally;
  readonly #signals: RunSignals;
  readonly #board: JobBoard;
  readonly #poster: ResultPoster;
  readonly #runner: TaskRunner;
  readonly #downloader: Downloader;
  /** Mean milliseconds per task, by pipeline: two models may differ a hundredfold. */
  readonly #meanTaskMs = new Map<string, number>();
  #lastContactAt: number;
  #lastTaskAt: number;

  constructor(options: ResolvedWorkerOptions, bus: WorkerEventBus, tally: Tally, signals: RunSignals) {
    const { client, random } = options;
    this.#options = options;
    this.#client = client;
    this.#bus = bus;
    this.#tally = tally;
    this.#signals = signals;
    this.#board = new JobBoard(options);
    this.#poster = new ResultPoster(client, bus, random);
    this.#downloader = new Downloader({
      clock: client.clock,
      random,
      limits: options.download,
      fetch: options.fetch,
    });
    this.#runner = new TaskRunner({
      client,
      bus,
      downloader: this.#downloader,
      maxDeliveries: options.rules.maxDeliveries,
      processTimeoutMs: options.processTimeoutMs,
    });
    this.#lastContactAt = client.clock.now();
    this.#lastTaskAt = client.clock.now();
  }

  /**
   * Registers the pipelines for every project. A server that cannot be reached is waited for; one that refuses is not.
   * @throws AntennaApiError, AntennaConfigError, AntennaContractError when the server refuses: nothing would ever come of going on.
   */
  async register(): Promise<void> {
    if (!this.#options.register) return;
    const configs = [...this.#options.pipelines.values()].map(({ config }) => config);
    for (const projectId of this.#options.projects) {
      const report = await this.#untilReachable('registering', () =>
        this.#client.pipelines.register(projectId, configs, { signal: this.#signals.drain }),
      );
      if (report === undefined) return;
      this.#bus.emit('registered', { projectId, report });
      for (const { message, pipeline, kind } of report.deviations) {
        this.#client.logger.warn(
          { project: projectId, pipeline, reason: kind, error: message },
          'registered with a deviation',
        );
      }
    }
  }

  /** Takes and processes tasks until told to end, or until nothing is left if `untilDrained`. */
  async work(untilDrained: boolean): Promise<void> {
    while (!this.#isDraining()) {
      let jobs: OpenJob[] = [];
      let took = 0;
      let listed = false;
      try {
        jobs = await this.#board.list(this.#signals.drain);
        listed = true;
        if (this.#client.dialect === 'token') this.#lastContactAt = this.#client.clock.now();
      } catch (error) {
        this.#note(error, 'listing jobs');
      }
      for (const job of jobs) {
        if (this.#isDraining()) return;
        took += await this.#serve(job);
      }
      if (took > 0) continue;
      if (untilDrained && listed && this.#isDrained(jobs)) return;
      await this.#heartbeat();
      await this.#pause();
    }
  }

  close(): Promise<void> {
    return this.#downloader.close();
  }

  /** A method, because the compiler takes a property that was false once for false for ever. */
  #isDraining(): boolean {
    return this.#signals.drain.aborted;
  }

  /** One batch of one job. @returns how many tasks it held. Never throws. */
  async #serve(job: OpenJob): Promise<number> {
    const { clock } = this.#client;
    const { concurrency, maxBatchSize, rules } = this.#options;
    const meanTaskMs = this.#meanTaskMs.get(job.pipeline.slug);
    const size = batchSize({ maxBatchSize, concurrency, leaseMs: rules.leaseMs, meanTaskMs });
    // The lease runs from the server's delivery, which cannot be earlier than this.
    const leaseEndsAt = clock.now() + rules.leaseMs;
    let tasks: Task[];
    try {
      // Not tied to the drain signal: the server may already have leased the tasks, so what comes is taken.
      tasks = await this.#client.tasks.reserve(job.id, { batchSize: size }, { signal: this.#signals.hard });
    } catch (error) {
      if (error instanceof PermissionDeniedError || error instanceof NotFoundError) this.#board.mute(job.id);
      this.#note(error, 'reserving tasks', job.id);
      return 0;
    }
    if (tasks.length === 0) return 0;
    this.#lastTaskAt = this.#lastContactAt = clock.now();
    this.#bus.emit('reserved', { jobId: job.id, count: tasks.length });
    const outcomes = await this.#process(job, tasks, leaseEndsAt);
    const posts = await this.#poster.post(job.id, outcomes, this.#signals.hard);
    this.#lastContactAt = clock.now();
    this.#tally.add(job.id, 'posted', posts.posted.length);
    this.#tally.add(job.id, 'dropped', posts.dropped.length);
    this.#tally.add(job.id, 'abandoned', posts.unposted.length);
    return tasks.length;
  }

  async #process(job: OpenJob, tasks: readonly Task[], leaseEndsAt: number): Promise<Outcome[]> {
    const { clock } = this.#client;
    const { concurrency } = this.#options;
    const startedAt = clock.now();
    const waiting = [...tasks];
    const outcomes: Outcome[] = [];
    const lane = async (): Promise<void> => {
      for (let task = waiting.shift(); task; task = waiting.shift()) {
        const outcome = await this.#runOne({ task, jobId: job.id, pipeline: job.pipeline, leaseEndsAt });
        if (outcome) outcomes.push(outcome);
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, tasks.length) }, lane));
    const perTaskMs = ((clock.now() - startedAt) / tasks.length) * Math.min(concurrency, tasks.length);
    const { slug } = job.pipeline;
    this.#meanTaskMs.set(slug, updateMean(this.#meanTaskMs.get(slug), perTaskMs));
    return outcomes;
  }

  async #runOne(held: Parameters<TaskRunner['run']>[0]): Promise<Outcome | undefined> {
    try {
      const outcome = await this.#runner.run(held, this.#signals.hard);
      const what = outcome === undefined ? 'lapsed' : outcome.kind === 'success' ? 'succeeded' : 'failed';
      this.#tally.add(held.jobId, what);
      return outcome;
    } catch {
      // Only the hard signal ends a task without an outcome.
      this.#tally.add(held.jobId, 'abandoned');
      return undefined;
    }
  }

  /**
   * Nothing is left when no job is open, or when every open job has answered empty for longer than a lease: whatever another
   * worker held has by then come back to the queue or been done.
   */
  #isDrained(jobs: readonly OpenJob[]): boolean {
    return (
      jobs.length === 0 || this.#client.clock.now() - this.#lastTaskAt > 1.25 * this.#options.rules.leaseMs
    );
  }

  /** In the `api-key` dialect listing jobs does not count as a sign of life; an empty registration does. */
  async #heartbeat(): Promise<void> {
    const { clock, dialect } = this.#client;
    const [projectId] = this.#options.projects;
    const idleMs = clock.now() - this.#lastContactAt;
    if (dialect !== 'api-key' || projectId === undefined || idleMs < WORKER_DEFAULTS.heartbeatMs) return;
    this.#lastContactAt = clock.now();
    try {
      await this.#client.pipelines.register(projectId, [], { signal: this.#signals.drain });
    } catch (error) {
      this.#note(error, 'sending a heartbeat');
    }
  }

  async #pause(): Promise<void> {
    const jitter = 0.75 + this.#options.random() * 0.5;
    const delayMs = this.#options.pollIntervalMs * jitter;
    await sleep(this.#client.clock, delayMs, this.#signals.drain).catch(() => undefined);
  }

  async #untilReachable<Value>(doing: string, attempt: () => Promise<Value>): Promise<Value | undefined> {
    while (!this.#isDraining()) {
      try {
        return await attempt();
      } catch (error) {
        if (this.#isDraining()) return undefined;
        const passing =
          error instanceof AntennaApiError
            ? [408, 425, 429, 502, 503, 504].includes(error.status)
            : !isFinal(error);
        if (!passing) throw error;
        this.#note(error, doing);
        await this.#pause();
      }
    }
    return undefined;
  }

  #note(error: unknown, doing: string, jobId?: number): void {
    if (error instanceof AntennaAbortError && this.#isDraining()) return;
    this.#client.logger.warn({ error, job: jobId }, `${doing} failed; the worker goes on`);
    this.#bus.emit('error', { error, doing, ...(jobId === undefined ? {} : { jobId }) });
  }
}

function isFinal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return error instanceof AntennaConfigError || code.startsWith('contract_') || code === '';
}
