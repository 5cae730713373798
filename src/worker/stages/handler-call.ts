import { AntennaTimeoutError } from '../../errors/timeout.js';
import { AntennaError } from '../../errors/base.js';
import { Deadline } from '../../time/deadline.js';
import type { BatchOutcome } from '../executors/executor.js';
import type { ProcessContext, TaskImage } from '../pipeline.js';
import type { RunContext } from '../runtime/context.js';
import type { WorkItem } from '../runtime/work-item.js';
import { PermanentTaskError } from '../task-errors.js';

/** Shortest timeout that is derived from measured times. */
const MIN_TIMEOUT_MS = 60_000;

/** How long a handler may take: as configured, else four times its slowest calls and at least a minute, once those are known. */
export function handlerTimeoutMs(
  configuredMs: number | undefined,
  defaultMs: number,
  p99Ms: number | undefined,
): number {
  if (configuredMs !== undefined) return configuredMs;
  return p99Ms === undefined ? defaultMs : Math.max(MIN_TIMEOUT_MS, 4 * p99Ms);
}

/**
 * Calls the handler for images of one job, with a deadline that holds even if the handler ignores its signal.
 * @throws what the handler threw; a PermanentTaskError when it took too long; the hard signal's reason when the worker ends.
 */
export async function callHandler(
  items: readonly WorkItem[],
  context: RunContext,
  timeoutMs: number,
): Promise<readonly BatchOutcome[]> {
  const [first] = items;
  if (!first) return [];
  const { clock, phases } = context;
  const deadline = new Deadline({ clock, timeoutMs, signal: phases.hard });
  try {
    const work = first.pipeline.executor.run(
      items.map(imageOf),
      processContext(first, items, context, deadline.signal),
    );
    const outcomes = await deadline.race(work);
    if (outcomes.length === items.length) return outcomes;
    const message = `The executor answered with ${outcomes.length} outcomes for ${items.length} images`;
    throw new AntennaError({ code: 'batch_result', message });
  } catch (error) {
    if (!phases.hard.aborted && deadline.signal.aborted && error instanceof AntennaTimeoutError)
      throw new PermanentTaskError(`the handler took longer than ${Math.round(timeoutMs)} ms`);
    throw error;
  } finally {
    deadline.dispose();
  }
}

/** What a handler gets beside its images. */
export function processContext(
  first: WorkItem | undefined,
  items: readonly WorkItem[],
  context: RunContext,
  signal: AbortSignal,
): ProcessContext {
  const { leases, phases, client } = context;
  return {
    signal,
    stopping: phases.drain,
    config: first?.task.config ?? {},
    logger: client.logger,
    deadline: {
      remainingMs: () =>
        Math.max(0, Math.min(leases.lengthMs, ...items.map((item) => leases.remainingMs(item)))),
    },
  };
}

function imageOf(item: WorkItem): TaskImage {
  const { task, jobId, image } = item;
  if (!image)
    throw new AntennaError({ code: 'no_image', message: `Task ${item.key} has no image in memory` });
  const { bytes, contentType } = image;
  return { id: task.image_id, url: task.image_url, bytes, contentType, jobId };
}
