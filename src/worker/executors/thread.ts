import { availableParallelism } from 'node:os';
import type { Tinypool } from 'tinypool';
import { checkOptions, isCount, type Check } from '../../errors/arguments.js';
import { silentLogger, type Logger } from '../../log/logger.js';
import { systemClock, type Clock } from '../../time/clock.js';
import type { ProcessContext, TaskImage } from '../handler/handler.js';
import { callTimeoutMs, EXECUTOR_DEFAULTS } from './defaults.js';
import { entryFile, isModule, modulePath } from './entry-file.js';
import type { BatchContext, BatchOutcome, Executor, ExecutorStats } from './executor.js';
import { START_CHECKS, SURROUNDING_CHECKS } from './module-options.js';
import { backOff, respawnDelayMs } from './respawn.js';
import { ModuleRunner, type ModuleCallResult, type SlotCall } from './module-runner.js';
import { settle } from './supervise.js';
import { ExecutorTally } from './tally.js';
import { callThread } from './thread-call.js';
import { fromWireReply } from './wire.js';

/** Options of {@link ThreadExecutor}. Durations in milliseconds. */
export interface ThreadExecutorOptions {
  /** The handler module: `new URL('./handler.js', import.meta.url)` or an absolute path. See {@link Handlers} for its exports. */
  readonly module: string | URL;
  /** Threads, each with a model of its own. Default: one less than the machine has cores, at least 1. */
  readonly threads?: number | undefined;
  /** JavaScript heap of a thread in bytes; more ends it. Buffers and native memory are not part of it. Default: Node's. */
  readonly maxHeapBytes?: number | undefined;
  /** For one call of the handler; in a worker its `processTimeoutMs` counts if that is shorter. Default 300,000. */
  readonly timeoutMs?: number | undefined;
  /** For loading and warming up. Default 300,000. */
  readonly startTimeoutMs?: number | undefined;
  /** From an abort to the end of the thread. Default 1,000. */
  readonly abortGraceMs?: number | undefined;
  /** Node's options for the threads. Default: those of this process. */
  readonly execArgv?: readonly string[] | undefined;
  /** Hears of threads that died while idle. Default: silent. */
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
  /** Source of jitter in [0, 1), for tests. */
  readonly random?: (() => number) | undefined;
}

const OPTIONS: { readonly [Name in keyof Required<ThreadExecutorOptions>]: Check } = {
  module: isModule,
  threads: isCount(1),
  maxHeapBytes: isCount(1),
  ...START_CHECKS,
  ...SURROUNDING_CHECKS,
};

/**
 * Runs a handler module in worker threads: right for handlers that compute in JavaScript or WebAssembly. The worker's own thread stays
 * free for posts and heartbeats, and a handler that never returns is ended with its thread.
 *
 * A native crash ends the whole process whatever the thread: for models that may do that there is the process executor.
 */
export class ThreadExecutor implements Executor {
  readonly kind = 'thread';
  readonly #options: ThreadExecutorOptions;
  readonly #module: string;
  readonly #clock: Clock;
  readonly #threads: number;
  readonly #tally = new ExecutorTally();
  readonly #runner: ModuleRunner<number>;
  #pool: Promise<Tinypool> | undefined;

  /** @throws AntennaConfigError naming every wrong option; when the module does not exist. */
  constructor(options: ThreadExecutorOptions) {
    checkOptions('Invalid executor options', options, OPTIONS, ['module']);
    this.#options = options;
    this.#module = modulePath(options.module);
    this.#clock = options.clock ?? systemClock;
    this.#threads = options.threads ?? Math.max(1, availableParallelism() - 1);
    const places = Array.from({ length: this.#threads }, (_, index) => index);
    this.#runner = new ModuleRunner(places, this.#tally, (_, call) => this.#attempt(call));
  }

  warmUp(context?: ProcessContext): Promise<number | undefined> {
    return this.#runner.warmUp(context);
  }

  run(batch: readonly TaskImage[], context: BatchContext): Promise<readonly BatchOutcome[]> {
    return this.#runner.run(batch, context);
  }

  async close(): Promise<void> {
    await this.#runner.close();
    const pool = this.#pool;
    this.#pool = undefined;
    await (await pool)?.destroy();
  }

  stats(): ExecutorStats {
    return this.#tally.stats(this.kind, this.#runner.busy);
  }

  async #attempt({ unit, context }: SlotCall): Promise<ModuleCallResult> {
    const { timeoutMs, startTimeoutMs, abortGraceMs, random = Math.random } = this.#options;
    await backOff(this.#clock, respawnDelayMs(this.#tally.consecutiveCrashes, random), context.signal);
    const { answer, verdict } = await callThread({
      pool: await (this.#pool ??= this.#makePool()),
      module: this.#module,
      unit,
      context,
      limits: {
        clock: this.#clock,
        signals: [context.signal],
        timeoutMs: callTimeoutMs(context.timeoutMs, timeoutMs),
        startTimeoutMs: startTimeoutMs ?? EXECUTOR_DEFAULTS.startTimeoutMs,
        abortGraceMs: abortGraceMs ?? EXECUTOR_DEFAULTS.abortGraceMs,
      },
    });
    const { ready, reply } = answer;
    if (!reply) return { ready, outcomes: [] };
    try {
      return { ready, outcomes: settle(fromWireReply(reply), verdict) };
    } catch (error) {
      throw verdict ?? error;
    }
  }

  /** Loaded on first use: a worker whose handlers run inline needs no pool. */
  async #makePool(): Promise<Tinypool> {
    const { Tinypool } = await import('tinypool');
    const { maxHeapBytes, execArgv, logger = silentLogger } = this.#options;
    const pool = new Tinypool({
      filename: entryFile('executor-thread'),
      minThreads: this.#threads,
      maxThreads: this.#threads,
      // With atomics a thread sleeps between two calls, and with it a handler's own timers and connections.
      useAtomics: false,
      ...(execArgv ? { execArgv: [...execArgv] } : {}),
      ...(maxHeapBytes
        ? { resourceLimits: { maxOldGenerationSizeMb: Math.max(8, maxHeapBytes / 1_048_576) } }
        : {}),
    });
    pool.on('error', (error: unknown) => {
      logger.warn({ error }, 'an idle handler thread died; another takes its place');
    });
    return pool;
  }
}
