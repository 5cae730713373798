import { checkWarmUp } from '../call-arguments.js';
import { z } from 'zod';
import { AntennaConfigError } from '../../../errors/config.js';
import { isClock, isLogger, shaped } from '../../../errors/arguments.js';
import { guardLogger, silentLogger, type Logger } from '../../../log/logger.js';
import { issuesOf } from '../../../resources/core.js';
import { systemClock, type Clock } from '../../../time/clock.js';
import type { ProcessContext, TaskImage } from '../../handler/handler.js';
import { HandlerAbortError, JoinedSignal } from '../joined-signal.js';
import { EXECUTOR_DEFAULTS } from '../defaults.js';
import type { BatchContext, BatchOutcome, Executor, ExecutorStats } from '../executor.js';
import { callLink, type CallLimits } from '../handler-link.js';
import { ModuleRunner, type ModuleCallResult, type SlotCall } from '../module-runner.js';
import { ExecutorTally } from '../tally.js';
import { HandlerDoor } from './handler-door.js';
import type { ListenAddress } from './listening.js';
import type { HandlerReady } from './messages.js';

/** Options of {@link AttachedExecutor}. Durations in milliseconds. */
export interface AttachedExecutorOptions {
  /** Path of a socket to make, with mode 0600, or `{ port, token }` on loopback. */
  readonly listen: ListenAddress;
  /** For one call of the handler; in a worker its `processTimeoutMs` counts if that is shorter. Default 300,000. */
  readonly timeoutMs?: number | undefined;
  /** From a cancel to the end of the connection. Default 1,000. */
  readonly abortGraceMs?: number | undefined;
  /** Gets what handlers say, and when they come and go. Default: silent. */
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
}

const optionsSchema = z.strictObject({
  listen: z.union([
    z.string(),
    z.strictObject({ port: z.int().min(0).max(65_535).optional(), token: z.string().optional() }),
  ]),
  timeoutMs: z.number().positive().optional(),
  abortGraceMs: z.number().nonnegative().optional(),
  logger: shaped(isLogger),
  clock: shaped(isClock),
});

/**
 * Waits for a handler that somebody else runs, such as a notebook while a model is being made: `attach(process, path)` of
 * `antenna_handler.py` connects to it. A new handler replaces the one before; one that says goodbye (an interrupted cell) gives back the
 * images it had, and they wait in memory for the next. A worker takes no task before the first handler is there.
 */
export class AttachedExecutor implements Executor {
  readonly kind = 'attached';
  /** Not while nobody is attached: then a call waits until its signal aborts, which costs no image. */
  readonly endsEveryCall = true;
  readonly #door: HandlerDoor;
  readonly #limits: CallLimits;
  readonly #tally = new ExecutorTally();
  readonly #runner: ModuleRunner<HandlerDoor>;
  #description: HandlerReady | undefined;

  /** @throws AntennaConfigError naming every wrong option. */
  constructor(options: AttachedExecutorOptions) {
    const parsed = optionsSchema.safeParse(options);
    if (!parsed.success) throw new AntennaConfigError('Invalid executor options', issuesOf(parsed.error));
    const clock = options.clock ?? systemClock;
    this.#door = new HandlerDoor({
      listen: options.listen,
      logger: guardLogger(options.logger ?? silentLogger),
      clock,
      onReady: (ready) => {
        this.#description = ready;
      },
    });
    this.#limits = {
      clock,
      timeoutMs: options.timeoutMs,
      startTimeoutMs: EXECUTOR_DEFAULTS.startTimeoutMs,
      abortGraceMs: options.abortGraceMs ?? EXECUTOR_DEFAULTS.abortGraceMs,
    };
    this.#runner = new ModuleRunner(
      [this.#door],
      this.#tally,
      (_, call) => this.#call(call),
      ({ room }) => room,
    );
  }

  /** What the handler said of itself when it attached; undefined before {@link warmUp}. */
  get description(): HandlerReady | undefined {
    return this.#description;
  }

  /** Begins to listen, if it does not yet. @returns the address for `attach`, without the token. @throws HandlerStartError */
  listen(): Promise<string> {
    return this.#door.open();
  }

  /** What `attach` must be given over loopback; undefined with a socket. A method, so that nothing prints it by accident. */
  revealToken(): string | undefined {
    return this.#door.revealToken();
  }

  /** Waits for a handler, for as long as it takes or until the worker is told to stop. */
  async warmUp(
    context?: ProcessContext & { readonly stopping?: AbortSignal | undefined },
  ): Promise<number | undefined> {
    checkWarmUp(context);
    if (!context?.stopping) return this.#runner.warmUp(context);
    const joined = new JoinedSignal([context.signal, context.stopping]);
    try {
      return await this.#runner.warmUp({ ...context, signal: joined.signal });
    } catch (error) {
      // A worker that is stopped while nobody has come has nothing to warm, and nothing went wrong.
      if (context.stopping.aborted && error instanceof HandlerAbortError) return undefined;
      throw error;
    } finally {
      joined.dispose();
    }
  }

  run(batch: readonly TaskImage[], context: BatchContext): Promise<readonly BatchOutcome[]> {
    return this.#runner.run(batch, context);
  }

  async close(): Promise<void> {
    await this.#runner.close();
    await this.#door.close();
  }

  /** While nobody is attached no task is taken; those in hand wait. */
  unavailable(): string | undefined {
    return this.#door.attached ? undefined : 'no handler is attached: run attach(...) in the notebook';
  }

  stats(): ExecutorStats {
    return this.#tally.stats(this.kind, this.#runner.busy);
  }

  /** One whose handler leaves is made again with the next. */
  async #call(call: SlotCall): Promise<ModuleCallResult> {
    return callLink(await this.#door.handler(call.context.signal), call, this.#limits);
  }
}
