import type { AntennaClient } from '../client/client.js';
import { AntennaError } from '../errors/base.js';
import { checkOptions, isBoolean, isFunction, isOneOf, isWait, type Check } from '../errors/arguments.js';
import { EVENT_NAMES, WorkerEventBus, type WorkerEvents } from './observe/events.js';
import {
  resolveWorkerOptions,
  type AntennaWorkerOptions,
  type ResolvedWorkerOptions,
} from './run/options.js';
import { HandlerStartError } from './executors/execution-errors.js';
import { health, HEALTH_LIMITS, type HealthLimits, type HealthReport } from './observe/health.js';
import type { WorkerMetricsSnapshot } from './observe/snapshot.js';
import { Tally, type EndReason, type WorkerReport } from './task/outcome.js';
import { Observation, restingFacts, restingGauges } from './runtime/observation.js';
import { Phases } from './task/phases.js';
import { WorkerRun } from './runtime/run.js';
import { TerminateHooks, type TerminateHook, onTermination } from './runtime/terminate-hooks.js';
import { isActive, StateMachine, type WorkerState } from './task/state.js';

/** Options of {@link AntennaWorker.run}. */
export interface RunOptions {
  /**
   * `'stopped'` (default): run until `stop()` or a signal. `'drained'`: also end when no open job is left, or when all of them have
   * been empty for longer than a lease.
   */
  readonly until?: 'stopped' | 'drained' | undefined;
  /** Stop gracefully on SIGTERM and SIGINT, on Windows on Ctrl-Break and a closed window too, at once on the second. Default true. */
  readonly handleSignals?: boolean | undefined;
}

const RUN_OPTIONS: { readonly [Name in keyof Required<RunOptions>]: Check } = {
  until: isOneOf('stopped', 'drained'),
  handleSignals: isBoolean,
};
const LIMITS = Object.fromEntries(Object.keys(HEALTH_LIMITS).map((name) => [name, isWait]));
const LISTENING = { name: isOneOf(...EVENT_NAMES), listener: isFunction };

/** A missing option is left to its default; a missing argument is wrong. */
function given(argument: unknown): unknown {
  return argument ?? null;
}

/** What belongs to one call of `run()`. */
interface Current {
  readonly run: WorkerRun;
  readonly phases: Phases;
  readonly tally: Tally;
  reason: EndReason;
  ended: Promise<unknown>;
}

/**
 * Turns `process(image) → detections` into a worker: registers its pipelines, takes tasks, downloads the images, runs the handler,
 * posts the results.
 *
 * ```ts
 * const worker = new AntennaWorker({ client, projects: [1], pipelines: [definePipeline({ …, process })] });
 * await worker.run();
 * ```
 */
export class AntennaWorker {
  readonly #options: ResolvedWorkerOptions;
  readonly #bus: WorkerEventBus;
  readonly #state: StateMachine;
  readonly #hooks: TerminateHooks;
  readonly #observation: Observation;
  #current: Current | undefined;
  /** Why the last run failed, in words. */
  #failure: string | undefined;

  /** @throws AntennaConfigError naming every wrong option and every wrong field of a pipeline. */
  constructor(options: AntennaWorkerOptions) {
    this.#options = resolveWorkerOptions(options);
    const { logger } = this.#options.client;
    this.#bus = new WorkerEventBus(logger);
    this.#hooks = new TerminateHooks(this.#options.client);
    this.#observation = new Observation(this.#bus, this.#options);
    this.#state = new StateMachine((from, to) => {
      logger.info({ state: to }, 'worker state changed');
      this.#bus.emit('state', { from, to });
    });
  }

  get state(): WorkerState {
    return this.#state.current;
  }

  /** The client that it works with. */
  get client(): AntennaClient {
    return this.#options.client;
  }

  /** How many tasks are in hand now, and at which stage. */
  get held(): WorkerRun['held'] | undefined {
    return this.#current?.run.held;
  }

  /** Everything that is counted and measured, as plain data; counters go on over all runs. */
  metrics(): WorkerMetricsSnapshot {
    const gauges = this.#current?.run.gauges(this.state) ?? restingGauges(this.state);
    return this.#observation.snapshot(gauges);
  }

  /** Whether it works, from facts: idle is healthy, stuck is not. */
  health(limits: Partial<HealthLimits> = {}): HealthReport {
    checkOptions('Invalid limits', limits, LIMITS);
    const nowMs = this.#options.client.clock.now();
    const facts = this.#current?.run.healthFacts(this.state) ?? restingFacts(this.state, nowMs);
    return health({ ...facts, runFailure: this.#failure }, nowMs, { ...HEALTH_LIMITS, ...limits });
  }

  /** How many tasks are held and which bound is at work, in words; empty before the first run. */
  explain(): string {
    return this.#current?.run.explain() ?? '';
  }

  /**
   * Listens to an event.
   * @returns a function that takes the listener away.
   * @throws AntennaConfigError when there is no event of the name: a misspelt one would never be heard.
   */
  on<Name extends keyof WorkerEvents>(name: Name, listener: (event: WorkerEvents[Name]) => void): () => void {
    checkOptions('Invalid arguments', { name: given(name), listener: given(listener) }, LISTENING);
    return this.#bus.on(name, listener);
  }

  /**
   * Adds something to be done at the end of every run, such as closing a database: called with the report, waited for up to 5 s.
   * @returns a function that takes the hook away.
   */
  onTerminate(hook: TerminateHook): () => void {
    checkOptions('Invalid arguments', { hook: given(hook) }, { hook: isFunction });
    return this.#hooks.add(hook);
  }

  /**
   * Works until stopped, and always settles. May be called again afterwards.
   * @returns what was done, also when tasks failed.
   * @throws AntennaError when the server refuses the registration, or when the worker is already running.
   */
  async run(options: RunOptions = {}): Promise<WorkerReport> {
    checkOptions('Invalid arguments', options, RUN_OPTIONS);
    this.#state.to('starting');
    let current: Current;
    try {
      current = this.#begin(options.until === 'drained');
    } catch (error) {
      this.#failed(error);
      throw error;
    }
    const unlisten = options.handleSignals === false ? () => undefined : this.#listen();
    const work = this.#execute(current);
    current.ended = work.catch(() => undefined);
    try {
      await work;
      const report = current.tally.report(current.reason);
      await this.#hooks.call(report);
      this.#state.to('stopped');
      return report;
    } catch (error) {
      this.#failed(error);
      throw error;
    } finally {
      unlisten();
    }
  }

  /** @throws what a function throws that makes an executor. */
  #begin(untilDrained: boolean): Current {
    const tally = new Tally();
    const phases = new Phases(this.#options.client.clock, (phase) => {
      if (this.#state.can(phase)) this.#state.to(phase);
    });
    const run = new WorkerRun({
      options: this.#options,
      bus: this.#bus,
      tally,
      phases,
      observation: this.#observation,
      untilDrained,
      isPaused: () => this.#state.current === 'paused',
      onFlushing: () => {
        if (this.#state.can('flushing')) this.#state.to('flushing');
      },
    });
    this.#failure = undefined;
    this.#current = {
      run,
      phases,
      tally,
      reason: untilDrained ? 'drained' : 'stopped',
      ended: Promise.resolve(),
    };
    return this.#current;
  }

  #failed(error: unknown): void {
    // The health port asks for no password, so it repeats our own words alone: what others say may be anything.
    const known = error instanceof AntennaError && !(error instanceof HandlerStartError);
    const name = error instanceof Error ? error.name : 'an error';
    this.#failure = known ? error.message : `${name}, with which run() was rejected`;
    this.#state.to('failed');
  }

  /** Takes no more tasks until `resume()`; those in hand are finished and posted. Does nothing unless running. */
  pause(): void {
    if (this.#state.can('paused')) this.#state.to('paused');
  }

  /** Takes tasks again after `pause()`. */
  resume(): void {
    if (this.#state.current !== 'paused') return;
    this.#state.to('running');
    this.#current?.run.wake();
  }

  /**
   * Takes no more tasks and finishes all in hand, however long that takes.
   * @returns when the run has ended.
   */
  async drain(): Promise<void> {
    await this.#end(undefined, 'stopped');
  }

  /**
   * Stops gracefully: takes no more tasks, finishes and posts those in hand, within the grace period; what is not done by then is
   * spooled or abandoned, and the server delivers it again.
   * @param options - `graceMs` in milliseconds; default the worker's `graceMs`. 0 stops at once.
   * @returns when the run has ended.
   */
  async stop(options: { graceMs?: number } = {}): Promise<void> {
    checkOptions('Invalid arguments', options, { graceMs: isWait });
    const { graceMs = this.#options.graceMs } = options;
    await this.#end(graceMs, 'stopped');
  }

  async #execute({ run, phases }: Current): Promise<void> {
    try {
      await run.prepare();
      if (this.#state.current === 'starting') this.#state.to('running');
      await run.work();
    } finally {
      phases.dispose();
      await run.close();
    }
  }

  #listen(): () => void {
    const end = (graceMs: number): void => {
      void this.#end(graceMs, 'signal');
    };
    return onTermination({
      graceful: () => {
        end(this.#options.graceMs);
      },
      immediate: () => {
        end(0);
      },
    });
  }

  async #end(graceMs: number | undefined, reason: EndReason): Promise<void> {
    const current = this.#current;
    if (!current || !isActive(this.#state.current)) return;
    if (!current.phases.drain.aborted) current.reason = reason;
    current.phases.stop(graceMs);
    await current.ended;
  }
}
