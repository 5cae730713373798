import { AntennaAbortError } from '../../errors/connection.js';
import { limitWarnings } from '../../log/limited.js';
import { within } from '../../time/within.js';
import type { TaskRef, WorkerEventBus } from '../observe/events.js';
import { Leases } from '../policy/lease/lease.js';
import type { ResolvedWorkerOptions } from '../run/options.js';
import type { Tally } from '../task/outcome.js';
import { Rotation } from '../policy/rotation/rotation.js';
import { Origins } from '../policy/shares/origins.js';
import { Estimator } from '../policy/sizing/estimator.js';
import { createTroubles, limitsOf, openFailureLog, refOf, type RunContext } from '../run/context.js';
import { Engine } from './engine.js';
import { Hold } from '../task/hold.js';
import { JobLister } from './job-lister.js';
import { gaugesOf, healthFactsOf, type Observation } from './observation.js';
import type { HealthFacts } from '../observe/health.js';
import type { WorkerGauges } from '../observe/snapshot.js';
import { PaceKeeper } from '../run/pace-keeper.js';
import type { Phases } from '../task/phases.js';
import { onConfigChange, registerPipelines } from './registration.js';
import { MUTE_MS, ReserveLoop } from './reserve-loop.js';
import { Wakeup } from '../task/wakeup.js';
import { ServerRecord } from '../observe/server-record.js';
import type { ItemStage } from '../task/work-item.js';

/** How long aborted handlers and requests are waited for. */
const ABORT_WAIT_MS = 1_000;
/** How long threads, processes and connections may take to close. */
const CLOSE_WAIT_MS = 3_000;
/** How often it is looked for what does not end. */
const WATCH_MS = 500;
/** How long every job must answer empty before all counts as drained, in leases: one for the tasks of others to come back, one for the longest wait between two looks at an empty job. */
const DRAINED_LEASES = 2;

/** What a run is made of. */
export interface RunParts {
  readonly options: ResolvedWorkerOptions;
  readonly bus: WorkerEventBus;
  readonly tally: Tally;
  readonly phases: Phases;
  readonly observation: Observation;
  readonly isPaused: () => boolean;
  readonly untilDrained: boolean;
  /** All is computed; what is left is posting. */
  readonly onFlushing: () => void;
}

/**
 * One run of a worker, from registration to the last post. Each `run()` owns a fresh one, so nothing carries over: a worker that was
 * stopped and started again has one loop, not two.
 */
export class WorkerRun {
  readonly #parts: RunParts;
  readonly #context: RunContext;
  readonly #rotation: Rotation;
  readonly #engine: Engine;
  readonly #lister: JobLister;
  readonly #loop: ReserveLoop;
  readonly #wakeup: Wakeup;
  readonly #listerWakeup: Wakeup;
  readonly #startedAt: number;
  readonly #abandoned: TaskRef[] = [];
  #lastTaskAt: number;
  #unlisten: () => void = () => undefined;
  #watchedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: RunParts) {
    const { options } = parts;
    const { clock } = options.client;
    this.#parts = parts;
    this.#wakeup = new Wakeup(clock);
    this.#listerWakeup = new Wakeup(clock);
    this.#startedAt = this.#lastTaskAt = clock.now();
    this.#context = this.#createContext();
    this.#rotation = new Rotation(options.random);
    this.#engine = new Engine(this.#context, {
      accepted: (jobId) => {
        this.#lister.accepted(jobId);
      },
      gone: (jobId) => {
        this.#leave(jobId);
        this.#context.bus.emit('job_removed', { jobId, reason: 'gone' });
      },
      rejected: (jobId, reason) => {
        this.#leave(jobId);
        this.#context.bus.emit('job_rejected', { jobId, reason });
      },
    });
    this.#lister = new JobLister(this.#context, {
      rotation: this.#rotation,
      wakeup: this.#listerWakeup,
      onChange: () => {
        this.#wakeup.notify();
      },
      probeSpool: () => this.#engine.probeSpool(),
    });
    this.#loop = this.#createLoop();
  }

  /** How many tasks are in hand, and at which stage. */
  get held(): { readonly count: number; readonly stages: Readonly<Record<ItemStage, number>> } {
    const { hold } = this.#context;
    return { count: hold.size, stages: hold.byStage() };
  }

  /** @param state - of the worker. */
  gauges(state: string): WorkerGauges {
    return gaugesOf(state, this.#context, this.#engine);
  }

  /** @param state - of the worker. */
  healthFacts(state: string): HealthFacts {
    return healthFactsOf(state, this.#context, this.#engine, {
      startedAtMs: this.#startedAt,
      lastTurnAtMs: this.#loop.lastTurnAtMs,
      lastContactAtMs: this.#lister.answeredAtMs,
      loopDelayMs: this.#parts.observation.loopDelayMs,
    });
  }

  /** How many tasks are held and which bound is at work, a sentence for each pipeline. */
  explain(): string {
    const { options, estimator, clock, troubles, pace } = this.#context;
    const nowMs = clock.now();
    const sizes = [...options.pipelines.values()].map(({ slug, batchSize }) =>
      estimator.explain(slug, batchSize, limitsOf(this.#context), nowMs),
    );
    const inTrouble = troubles.list(nowMs).map(({ text }) => text);
    return [...sizes, ...pace.explain(nowMs), ...this.#engine.closed, ...inTrouble].join('\n');
  }

  /** The loops look again at once: paused, resumed or told to end. */
  wake(): void {
    this.#wakeup.notify();
    this.#engine.pumpAll();
  }

  /** Registers, and warms the models. @throws when the server refuses the registration, or a model cannot be loaded. */
  async prepare(): Promise<void> {
    this.#parts.observation.start();
    await registerPipelines(this.#context, () => {
      this.#lister.contact();
    });
    this.#unlisten = onConfigChange(this.#context);
    await this.#engine.openSpool();
    await this.#engine.warmUp();
  }

  /** Takes and processes tasks until told to end, then ends in phases. Never throws. */
  async work(): Promise<void> {
    const { phases, clock } = this.#context;
    // Nothing was asked for while the models were loaded: their time is no silence of the queue.
    this.#lastTaskAt = clock.now();
    const wake = (): void => {
      this.wake();
    };
    for (const signal of [phases.drain, phases.flush, phases.hard])
      signal.addEventListener('abort', wake, { once: true });
    const listing = this.#lister.run();
    await this.#loop.run();
    // Drained: nobody told the run to end, so it tells itself.
    phases.stop(undefined);
    await listing;
    await this.#finish();
  }

  /** Gives back connections and threads. */
  async close(): Promise<void> {
    this.#parts.observation.stop();
    this.#unlisten();
    this.#context.pace.close();
    try {
      // Threads and processes are given their own time to end, and no more.
      await within(this.#context.clock, CLOSE_WAIT_MS, this.#engine.close());
      if (this.#context.failures)
        await within(this.#context.clock, CLOSE_WAIT_MS, this.#context.failures.close());
    } catch (error) {
      this.#context.note(error, 'closing');
    }
  }

  async #finish(): Promise<void> {
    const { hold, phases, clock, bus } = this.#context;
    for (;;) {
      this.#watch(clock.now());
      this.#engine.pumpAll();
      if (hold.isComputed || phases.flush.aborted) this.#parts.onFlushing();
      if (hold.size === 0 || phases.hard.aborted) break;
      await this.#wakeup.wait(ABORT_WAIT_MS, phases.hard);
    }
    // With an empty hold nothing is left to wait for but the last removal of a spool file.
    await within(clock, ABORT_WAIT_MS, this.#engine.idle());
    await this.#engine.outbox.spoolLeft();
    for (const item of [...hold]) hold.settle(item, 'abandoned');
    if (this.#abandoned.length > 0) bus.emit('abandoned', { tasks: this.#abandoned });
  }

  /** A job that takes no results is left alone, and its trouble is over. */
  #leave(jobId: number): void {
    const nowMs = this.#context.clock.now();
    this.#rotation.mute(jobId, nowMs + MUTE_MS);
    this.#context.troubles.forget(jobId, nowMs);
  }

  #createContext(): RunContext {
    const { options, bus, tally, phases } = this.#parts;
    const { client } = options;
    const { clock } = client;
    const logger = limitWarnings(client.logger, clock);
    const hold = new Hold((item, fate) => {
      tally.add(item.jobId, fate);
      const { jobId, task, delivery: attempt } = item;
      bus.emit('settled', { jobId, imageId: task.image_id, attempt, fate });
      if (fate === 'abandoned') this.#abandoned.push(refOf(item));
      this.#lastTaskAt = clock.now();
      this.#engine.settled(item, fate);
      this.#wakeup.notify();
    });
    const estimator = new Estimator();
    const troubles = createTroubles(options.random, bus, logger);
    const parts = {
      options,
      client,
      clock,
      logger,
      bus,
      tally,
      phases,
      hold,
      server: new ServerRecord(),
      troubles,
      origins: new Origins(options.downloadConcurrency, troubles, (origin, nowMs) =>
        estimator.ownDownloadP95Ms(nowMs, origin),
      ),
      leases: new Leases(clock, options.rules.leaseMs),
      estimator,
      failures: openFailureLog(options),
      changed: () => {
        this.#engine.pumpAll();
        this.#wakeup.notify();
      },
      note: (error: unknown, doing: string, jobId?: number) => {
        if (error instanceof AntennaAbortError && phases.drain.aborted) return;
        logger.warn({ error, job: jobId }, `${doing} failed; the worker goes on`);
        bus.emit('error', { error, doing, ...(jobId === undefined ? {} : { jobId }) });
      },
    };
    return { ...parts, pace: new PaceKeeper(parts) };
  }

  #createLoop(): ReserveLoop {
    return new ReserveLoop(this.#context, {
      rotation: this.#rotation,
      intake: this.#engine.intake,
      outbox: this.#engine.outbox,
      wakeup: this.#wakeup,
      isPaused: this.#parts.isPaused,
      isDrained: () => this.#isDrained(),
      onContact: () => {
        this.#lister.contact();
      },
      onOutage: () => {
        this.#lastTaskAt = this.#context.clock.now();
      },
      onIdle: () => {
        this.#lister.idle();
      },
      closedBecause: (slug) => this.#engine.closedBecause(slug),
      pumpAll: () => {
        this.#engine.pumpAll();
      },
      watch: (nowMs) => {
        this.#watch(nowMs);
      },
    });
  }

  #watch(nowMs: number): void {
    if (nowMs - this.#watchedAt < WATCH_MS) return;
    this.#watchedAt = nowMs;
    this.#engine.watch(nowMs);
    this.#loop.watch(nowMs);
    this.#context.troubles.declare(nowMs);
  }

  /** Nothing is left when no job is open, or when all of them have been empty for longer than a lease. */
  #isDrained(): boolean {
    const { hold, leases, clock } = this.#context;
    const { lastList } = this.#lister;
    if (!this.#parts.untilDrained || hold.size > 0 || lastList === undefined) return false;
    if (this.#engine.isReplaying) return false;
    if (lastList.jobs === 0 && lastList.askedAtMs >= this.#lastTaskAt) return true;
    return clock.now() - this.#lastTaskAt > DRAINED_LEASES * leases.lengthMs;
  }
}
