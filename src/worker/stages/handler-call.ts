import { AntennaError } from '../../errors/base.js';
import { AntennaTimeoutError } from '../../errors/connection.js';
import { Deadline } from '../../time/deadline.js';
import { EXECUTOR_DEFAULTS } from '../executors/defaults.js';
import type { BatchOutcome, Executor } from '../executors/executor.js';
import type { HandlerContext } from '../handler/handler.js';
import type { TaskImage } from '../handler/handler.js';
import type { RunContext } from '../run/context.js';
import type { WorkItem } from '../task/work-item.js';
import type { BatchTrial } from '../policy/sizing/batch-cap.js';
import { OutOfMemoryTaskError, PermanentTaskError } from '../handler/task-errors.js';

/** What a call of a handler needs of a run. */
export type CallPort = Pick<RunContext, 'client' | 'clock' | 'leases' | 'phases'>;

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
 * Calls the handler for images of one job. The executor ends a call that takes too long; one that does not gets an end here, so that
 * no lane is lost for ever.
 * @param trial - hears of every call that was made.
 * @throws PermanentTaskError when even that time is over; the hard signal's reason when the worker ends.
 */
export async function callHandler(
  executor: Executor,
  items: readonly WorkItem[],
  context: CallPort,
  timeoutMs: number,
  trial: BatchTrial,
): Promise<readonly BatchOutcome[]> {
  // A pipeline that takes one image at a time learns nothing from the size of its batches.
  if (items.length === 1 && items[0]?.pipeline.batchSize === 1)
    return supervise(executor, items, context, timeoutMs);
  const told = trial.count;
  const images = items.map(({ task }) => ({ id: task.image_id }));
  const ended = (error: unknown): void => {
    // An executor that tells of no call made one, which ended as its answer says.
    if (trial.count === told) trial.add({ images, error });
  };
  try {
    const outcomes = await supervise(executor, items, context, timeoutMs, trial);
    const errors = outcomes.map((outcome) => (outcome.ok ? undefined : outcome.error));
    const full = errors.find((error) => error instanceof OutOfMemoryTaskError);
    // Where nothing went well, it is not known whether anything was called at all.
    if (full !== undefined || errors.includes(undefined)) ended(full);
    return outcomes;
  } catch (error) {
    ended(error);
    throw error;
  }
}

async function supervise(
  executor: Executor,
  items: readonly WorkItem[],
  context: CallPort,
  timeoutMs: number,
  trial?: BatchTrial,
): Promise<readonly BatchOutcome[]> {
  const [first] = items;
  if (!first) return [];
  const { clock, phases } = context;
  const onAttempt = trial && trial.add.bind(trial);
  const call = (signal: AbortSignal): Promise<readonly BatchOutcome[]> => {
    const { stopping, config, logger, deadline } = processContext(first, items, context, signal);
    const { slug } = first.pipeline;
    // Written out: adding to a spread copy is the slow way to make an object.
    const given = { signal, stopping, config, logger, deadline, pipeline: slug, timeoutMs, onAttempt };
    return executor.run(items.map(imageOf), given);
  };
  if (executor.endsEveryCall) return checkCount(await call(phases.hard), items.length);
  // A process that has to start first has that time on top; a batch that is bisected has its own for each part.
  const patienceMs =
    items.length * (timeoutMs + EXECUTOR_DEFAULTS.abortGraceMs) + EXECUTOR_DEFAULTS.startTimeoutMs;
  const deadline = new Deadline({ clock, timeoutMs: patienceMs, signal: phases.hard });
  try {
    return checkCount(await deadline.race(call(deadline.signal)), items.length);
  } catch (error) {
    if (!phases.hard.aborted && deadline.reason && error instanceof AntennaTimeoutError)
      throw new PermanentTaskError(`the executor did not end a call within ${Math.round(patienceMs)} ms`);
    throw error;
  } finally {
    deadline.dispose();
  }
}

/** Whoever answers with too few outcomes would shift the results of one image to another. */
function checkCount(outcomes: readonly BatchOutcome[], images: number): readonly BatchOutcome[] {
  if (outcomes.length === images) return outcomes;
  const message = `The executor answered with ${outcomes.length} outcomes for ${images} images`;
  throw new AntennaError({ code: 'batch_result', message });
}

/** What a handler gets beside its images. */
export function processContext(
  first: WorkItem | undefined,
  items: readonly WorkItem[],
  context: CallPort,
  signal: AbortSignal,
): HandlerContext {
  const { leases, phases, client } = context;
  return {
    signal,
    stopping: phases.drain,
    config: first?.config?.used ?? first?.task.config ?? {},
    logger: client.logger,
    deadline: {
      remainingMs: () =>
        Math.max(0, Math.min(leases.lengthMs, ...items.map((item) => leases.remainingMs(item)))),
    },
  };
}

function imageOf(item: WorkItem): TaskImage {
  const { task, jobId, image, detections } = item;
  if (!image)
    throw new AntennaError({ code: 'no_image', message: `Task ${item.key} has no image in memory` });
  const { bytes, contentType } = image;
  return { id: task.image_id, url: task.image_url, bytes, contentType, jobId, detections, task };
}
