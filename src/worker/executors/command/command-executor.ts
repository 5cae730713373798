import { checkClose } from '../call-arguments.js';
import { z } from 'zod';
import { AntennaConfigError } from '../../../errors/config.js';
import { either, isClock, isEnvironment, isFunction, isLogger, shaped } from '../../../errors/arguments.js';
import { guardLogger, silentLogger, type Logger } from '../../../log/logger.js';
import { issuesOf } from '../../../resources/core.js';
import { systemClock, type Clock } from '../../../time/clock.js';
import type { ProcessContext, TaskImage } from '../../handler/handler.js';
import { ChildPool } from '../child-pool.js';
import type { BatchContext, BatchOutcome, Executor, ExecutorStats } from '../executor.js';
import { childEnv, type EnvOf } from './child-env.js';
import { CommandChild } from './command-child.js';
import type { HandlerReady } from './messages.js';

/** Options of {@link CommandExecutor}. Durations in milliseconds, sizes in bytes. */
export interface CommandExecutorOptions {
  /** The program, such as `python3`; looked for in `PATH`, run without a shell. */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** Default: the worker's own directory. */
  readonly cwd?: string | undefined;
  /**
   * Variables beside those of this process, or a function that gives them for each of several processes (from 0). The worker's
   * credentials (`ANTENNA_…` and `AMI_…` keys, tokens, passwords) are never passed on unless named here.
   */
  readonly env?: EnvOf | undefined;
  /** Processes side by side, each with a model of its own. Default: as many as there are `devices`, else 1. */
  readonly processes?: number | undefined;
  /** Graphics cards, as `CUDA_VISIBLE_DEVICES` names them: each process sees the next one alone. Default: all see what the worker sees. */
  readonly devices?: readonly (string | number)[] | undefined;
  /** When a process is replaced, after its batch. Default: never. */
  readonly recycle?:
    | {
        /** After so many calls. */
        readonly maxBatches?: number | undefined;
        /** Once its resident size, as it tells it, is larger. */
        readonly maxRssBytes?: number | undefined;
      }
    | undefined;
  /** For one call of the handler; in a worker its `processTimeoutMs` counts if that is shorter. Default 300,000. */
  readonly timeoutMs?: number | undefined;
  /** For loading and warming up. Default 300,000. */
  readonly startTimeoutMs?: number | undefined;
  /** From a cancel, or a goodbye, to the end of the process group. Default 1,000. */
  readonly abortGraceMs?: number | undefined;
  /** Gets what the processes say, print on standard error, and die of. Default: silent. */
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
  /** Source of jitter in [0, 1), for tests. */
  readonly random?: (() => number) | undefined;
}

const optionsSchema = z.strictObject({
  command: z.string().min(1, 'must name a program, such as python3'),
  args: z.array(z.string()).optional(),
  cwd: z.string().min(1).optional(),
  processes: z.int().positive().optional(),
  devices: z
    .array(z.union([z.string().min(1), z.int().nonnegative()]))
    .min(1)
    .optional(),
  recycle: z
    .strictObject({
      maxBatches: z.int().nonnegative().optional(),
      maxRssBytes: z.number().nonnegative().optional(),
    })
    .optional(),
  timeoutMs: z.number().positive().optional(),
  startTimeoutMs: z.number().positive().optional(),
  abortGraceMs: z.number().nonnegative().optional(),
  env: shaped(either('must be an object of texts, or a function that gives one', isEnvironment, isFunction)),
  logger: shaped(isLogger),
  clock: shaped(isClock),
  random: shaped(isFunction),
});

/**
 * Runs a handler in any language as child processes that stay warm: the protocol is in docs/handlers-outside-node.md, and
 * `antenna_handler.py` speaks it. A process that dies, hangs or talks nonsense takes one call with it, never the worker; the images of
 * that call are tried again in smaller batches until the one to blame is alone. Each leads a process group, which ends with it.
 *
 * In this process no image is copied: its bytes go from the download's buffer to the pipe.
 */
export class CommandExecutor implements Executor {
  readonly kind = 'command';
  readonly endsEveryCall = true;
  readonly #pool: ChildPool;
  #description: HandlerReady | undefined;

  /** @throws AntennaConfigError naming every wrong option. */
  constructor(options: CommandExecutorOptions) {
    const parsed = optionsSchema.safeParse(options);
    if (!parsed.success) throw new AntennaConfigError('Invalid executor options', issuesOf(parsed.error));
    const { command, args = [], cwd, env, devices, recycle, processes = devices?.length ?? 1 } = options;
    const logger = guardLogger(options.logger ?? silentLogger);
    const clock = options.clock ?? systemClock;
    const onReady = (ready: HandlerReady): void => {
      this.#description = ready;
    };
    const open = (index: number): CommandChild => {
      const own = childEnv(process.env, env, index, devices);
      return new CommandChild({ command, args, cwd, env: own, logger, clock, onReady });
    };
    this.#pool = new ChildPool(open, logger, { ...options, ...recycle, processes }, ({ room }) => room);
  }

  /** What the handler said of itself when it was last ready; undefined before {@link warmUp}. */
  get description(): HandlerReady | undefined {
    return this.#description;
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
