import { AntennaConfigError } from '../../../errors/config.js';
import { definePipeline, type Pipeline, type PipelineDefinition } from '../pipeline.js';
import type { Executor } from '../executor.js';
import { AttachedExecutor, type AttachedExecutorOptions } from './attached-executor.js';
import { CommandExecutor, type CommandExecutorOptions } from './command-executor.js';
import type { HandlerReady } from './messages.js';

/** Images in one call of a batch handler that does not say how many it takes. */
const DEFAULT_BATCH_SIZE = 8;

/** An executor whose handler says what it can do. */
type Described = Executor & { readonly description: HandlerReady | undefined };

/**
 * Starts a handler and asks it what it can do: the pipelines that `run(…, pipelines=…)` names, ready for `AntennaWorker`. They share the
 * processes, which stay warm for the worker; a program that never runs a worker is not kept alive by them.
 *
 * ```ts
 * const pipelines = await pipelinesFromCommand({ command: 'python3', args: ['model.py'] });
 * await new AntennaWorker({ client, projects: [1], pipelines }).run();
 * ```
 * @throws HandlerStartError, with what it printed last, when it cannot start; AntennaConfigError when it describes no pipeline, or a
 * wrong one.
 */
export function pipelinesFromCommand(options: CommandExecutorOptions): Promise<readonly Pipeline[]> {
  return pipelinesOf(() => new CommandExecutor(options));
}

/** The same for a handler that attaches: waits until it has. @throws as {@link pipelinesFromCommand}. */
export function pipelinesFromAttached(options: AttachedExecutorOptions): Promise<readonly Pipeline[]> {
  return pipelinesOf(() => new AttachedExecutor(options));
}

async function pipelinesOf(make: () => Described): Promise<readonly Pipeline[]> {
  const first = make();
  try {
    await first.warmUp?.();
    const { pipelines = [], mode, batch_size } = first.description ?? {};
    if (pipelines.length === 0) {
      const message = 'none is described: give run() pipelines=[pipeline("slug", detector="key")]';
      throw new AntennaConfigError('The handler has no pipelines', [{ path: 'pipelines', message }]);
    }
    const shared = new Shared(make, first);
    const batchSize = batch_size ?? (mode === 'batch' ? DEFAULT_BATCH_SIZE : 1);
    return pipelines.map((config) =>
      // What the handler says is checked there as what a program says.
      definePipeline({
        ...(config as unknown as PipelineDefinition),
        executor: () => shared.open(),
        batchSize,
      }),
    );
  } catch (error) {
    await first.close();
    throw error;
  }
}

/** One executor behind several pipelines: it ends when the last of them lets go of it, and the next run makes another. */
class Shared {
  readonly #make: () => Executor;
  #executor: Executor | undefined;
  #users = 0;

  constructor(make: () => Executor, first: Executor) {
    this.#make = make;
    this.#executor = first;
  }

  open(): Executor {
    const executor = (this.#executor ??= this.#make());
    this.#users += 1;
    let open = true;
    return {
      unavailable: () => executor.unavailable?.(),
      kind: executor.kind,
      endsEveryCall: executor.endsEveryCall,
      warmUp: (context) => executor.warmUp?.(context) ?? Promise.resolve(undefined),
      run: (batch, context) => executor.run(batch, context),
      close: async (options) => {
        if (!open) return;
        open = false;
        this.#users -= 1;
        if (this.#users > 0) return;
        this.#executor = undefined;
        await executor.close(options);
      },
      stats: () =>
        executor.stats?.() ?? {
          kind: executor.kind,
          busy: 0,
          crashes: 0,
          consecutiveCrashes: 0,
          timeouts: 0,
          recycles: 0,
        },
    };
  }
}
