import { AntennaError } from '../../errors/base.js';
import type { ProcessBatchHandler, ProcessContext, ProcessHandler, TaskImage, WarmUp } from '../pipeline.js';
import type { BatchOutcome, Executor } from './executor.js';

/** What runs in this thread. */
export interface InlineHandlers {
  readonly process?: ProcessHandler | undefined;
  readonly processBatch?: ProcessBatchHandler | undefined;
  readonly warmUp?: WarmUp | undefined;
}

/**
 * Runs the handler in the worker's own thread: right for handlers that wait (a remote GPU, a native library with threads of its own).
 * One that computes in JavaScript blocks heartbeats and posts meanwhile and belongs in another thread.
 */
export class InlineExecutor implements Executor {
  readonly #handlers: InlineHandlers;

  constructor(handlers: InlineHandlers) {
    this.#handlers = handlers;
  }

  async warmUp(context: ProcessContext): Promise<void> {
    await this.#handlers.warmUp?.(context);
  }

  async run(batch: readonly TaskImage[], context: ProcessContext): Promise<readonly BatchOutcome[]> {
    const { process, processBatch } = this.#handlers;
    if (processBatch) return runBatch(processBatch, batch, context);
    if (process) return Promise.all(batch.map((image) => runOne(process, image, context)));
    throw new AntennaError({ code: 'no_handler', message: 'The pipeline has no handler for this executor' });
  }

  async close(): Promise<void> {
    // Nothing of its own to close.
  }
}

async function runOne(
  process: ProcessHandler,
  image: TaskImage,
  context: ProcessContext,
): Promise<BatchOutcome> {
  try {
    return { ok: true, result: await process(image, context) };
  } catch (error) {
    return { ok: false, error };
  }
}

async function runBatch(
  processBatch: ProcessBatchHandler,
  batch: readonly TaskImage[],
  context: ProcessContext,
): Promise<BatchOutcome[]> {
  const output: unknown = await processBatch(batch, context);
  if (output instanceof Map) return batch.map(({ id }) => outcomeOf(output.get(id), id));
  if (Array.isArray(output) && output.length === batch.length)
    return batch.map(({ id }, index) => outcomeOf(output[index], id));
  const got = Array.isArray(output) ? `an array of ${output.length}` : typeof output;
  const message = `processBatch must return an array of ${batch.length} results, in order, or a Map by image id; it returned ${got}`;
  throw new AntennaError({ code: 'batch_result', message });
}

function outcomeOf(output: unknown, id: string): BatchOutcome {
  if (output instanceof Error) return { ok: false, error: output };
  if (output === undefined || output === null) {
    const message = `processBatch returned nothing for image ${id}`;
    return { ok: false, error: new AntennaError({ code: 'batch_result', message }) };
  }
  return { ok: true, result: output as never };
}
