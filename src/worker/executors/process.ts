import { checkClose } from './call-arguments.js';
import { checkOptions, isCount, isEnvironment, type Check } from '../../errors/arguments.js';
import { guardLogger, silentLogger, type Logger } from '../../log/logger.js';
import type { Clock } from '../../time/clock.js';
import type { ProcessContext, TaskImage } from '../handler/handler.js';
import { HandlerChild } from './child.js';
import { ChildPool } from './child-pool.js';
import { entryFile, isModule, modulePath } from './entry-file.js';
import type { BatchContext, BatchOutcome, Executor, ExecutorStats } from './executor.js';
import { START_CHECKS, SURROUNDING_CHECKS } from './module-options.js';

/** Options of {@link ProcessExecutor}. Durations in milliseconds, sizes in bytes. */
export interface ProcessExecutorOptions {
  /** The handler module: `new URL('./handler.js', import.meta.url)` or an absolute path. See {@link Handlers} for its exports. */
  readonly module: string | URL;
  /** Processes, each with a model of its own. Default 1. */
  readonly processes?: number | undefined;
  /** Calls of the handler after which a process is replaced. Default 0: never. */
  readonly maxBatches?: number | undefined;
  /** Resident size above which a process is replaced, looked at after every call. Default 0: never. */
  readonly maxRssBytes?: number | undefined;
  /** For one call of the handler; in a worker its `processTimeoutMs` counts if that is shorter. Default 300,000. */
  readonly timeoutMs?: number | undefined;
  /** For loading and warming up. Default 300,000. */
  readonly startTimeoutMs?: number | undefined;
  /** From an abort to the end of the process. Default 1,000. */
  readonly abortGraceMs?: number | undefined;
  /** Node's options for the processes. Default: those of this process. */
  readonly execArgv?: readonly string[] | undefined;
  /** Variables for the processes, beside those of this process. The worker's credentials are never passed on unless named here. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Gets what the processes print (standard output at `debug`, standard error at `info`) and their deaths. Default: silent. */
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
  /** Source of jitter in [0, 1), for tests. */
  readonly random?: (() => number) | undefined;
}

const OPTIONS: { readonly [Name in keyof Required<ProcessExecutorOptions>]: Check } = {
  module: isModule,
  processes: isCount(1),
  maxBatches: isCount(0),
  maxRssBytes: isCount(0),
  ...START_CHECKS,
  env: isEnvironment,
  ...SURROUNDING_CHECKS,
};

/**
 * Runs a handler module in child processes: right for models that may crash or leak. A process that dies takes one call with it,
 * never the worker, and the images of that call are tried again in smaller batches until the one that kills is alone.
 *
 * Images and results are copied through a pipe, at two to four milliseconds per megabyte.
 */
export class ProcessExecutor implements Executor {
  readonly kind = 'process';
  readonly #pool: ChildPool;

  /** @throws AntennaConfigError naming every wrong option; when the module does not exist. */
  constructor(options: ProcessExecutorOptions) {
    checkOptions('Invalid executor options', options, OPTIONS, ['module']);
    const { module, execArgv, env } = options;
    const logger = guardLogger(options.logger ?? silentLogger);
    const child = { entry: entryFile('executor-child'), module: modulePath(module), execArgv, env, logger };
    this.#pool = new ChildPool(() => new HandlerChild(child), logger, options);
  }

  warmUp(context?: ProcessContext): Promise<number | undefined> {
    return this.#pool.runner.warmUp(context);
  }

  run(batch: readonly TaskImage[], context: BatchContext): Promise<readonly BatchOutcome[]> {
    return this.#pool.runner.run(batch, context);
  }

  async close(options?: { readonly graceMs?: number | undefined }): Promise<void> {
    checkClose(options);
    await this.#pool.close(options?.graceMs);
  }

  stats(): ExecutorStats {
    return this.#pool.stats(this.kind);
  }
}
