import { AntennaError } from '../errors/base.js';
import { WorkerEventBus, type WorkerEvents } from './events.js';
import { resolveWorkerOptions, type AntennaWorkerOptions, type ResolvedWorkerOptions } from './options.js';
import { Tally, type WorkerReport } from './report.js';
import { WorkerRun } from './run.js';
import { onTermination } from './signals.js';
import { StateMachine, type WorkerState } from './state.js';

/** Options of {@link AntennaWorker.run}. */
export interface RunOptions {
  /**
   * `'stopped'` (default): run until `stop()` or a signal. `'drained'`: also end when no open job is left, or when all of them have
   * been empty for longer than a lease.
   */
  readonly until?: 'stopped' | 'drained' | undefined;
  /** Stop gracefully on SIGTERM and SIGINT, at once on the second. Default true. */
  readonly handleSignals?: boolean | undefined;
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
  #drain = new AbortController();
  #hard = new AbortController();
  #cancelGrace: () => void = () => undefined;
  #finished: Promise<unknown> = Promise.resolve();
  #reason: WorkerReport['reason'] = 'stopped';

  /** @throws AntennaConfigError naming every wrong option and every wrong field of a pipeline. */
  constructor(options: AntennaWorkerOptions) {
    this.#options = resolveWorkerOptions(options);
    const { logger } = this.#options.client;
    this.#bus = new WorkerEventBus(logger);
    this.#state = new StateMachine((from, to) => {
      logger.info({ state: to }, 'worker state changed');
      this.#bus.emit('state', { from, to });
    });
  }

  get state(): WorkerState {
    return this.#state.current;
  }

  /** Listens to an event. @returns a function that takes the listener away. */
  on<Name extends keyof WorkerEvents>(name: Name, listener: (event: WorkerEvents[Name]) => void): () => void {
    return this.#bus.on(name, listener);
  }

  /**
   * Works until stopped, and always settles. May be called again afterwards.
   * @returns what was done, also when tasks failed.
   * @throws AntennaError when the server refuses the registration, or when the worker is already running.
   */
  async run(options: RunOptions = {}): Promise<WorkerReport> {
    this.#state.to('starting');
    this.#drain = new AbortController();
    this.#hard = new AbortController();
    this.#reason = options.until === 'drained' ? 'drained' : 'stopped';
    const tally = new Tally();
    const signals = { drain: this.#drain.signal, hard: this.#hard.signal };
    const run = new WorkerRun(this.#options, this.#bus, tally, signals);
    const unlisten = options.handleSignals === false ? () => undefined : this.#listen();
    const work = this.#execute(run, options.until === 'drained');
    this.#finished = work.catch(() => undefined);
    try {
      await work;
      return tally.report(this.#reason);
    } finally {
      unlisten();
      this.#cancelGrace();
      this.#state.to('idle');
    }
  }

  /**
   * Stops gracefully: takes no more tasks, finishes and posts those in hand, within the grace period; what is not done by then is
   * abandoned, and the server delivers it again.
   * @param graceMs - milliseconds; default the worker's `graceMs`. 0 stops at once.
   * @returns when the run has ended.
   */
  async stop({ graceMs = this.#options.graceMs }: { graceMs?: number } = {}): Promise<void> {
    this.#stop(graceMs, 'stopped');
    await this.#finished;
  }

  async #execute(run: WorkerRun, untilDrained: boolean): Promise<void> {
    try {
      await run.register();
      if (this.#state.current === 'starting') this.#state.to('running');
      await run.work(untilDrained);
    } finally {
      await run.close();
    }
  }

  #listen(): () => void {
    return onTermination({
      graceful: () => {
        this.#stop(this.#options.graceMs, 'signal');
      },
      immediate: () => {
        this.#stop(0, 'signal');
      },
    });
  }

  #stop(graceMs: number, reason: WorkerReport['reason']): void {
    if (this.#state.current === 'idle') return;
    if (this.#state.can('draining')) {
      this.#reason = reason;
      this.#state.to('draining');
      this.#drain.abort(new AntennaError({ code: 'worker_stopping', message: 'The worker is stopping' }));
    }
    this.#cancelGrace();
    if (graceMs <= 0) this.#abort();
    else
      this.#cancelGrace = this.#options.client.clock.schedule(graceMs, () => {
        this.#abort();
      });
  }

  #abort(): void {
    if (!this.#state.can('stopping')) return;
    this.#state.to('stopping');
    const message = 'The worker had to end before its grace period was enough';
    this.#hard.abort(new AntennaError({ code: 'worker_shutdown', message }));
  }
}
