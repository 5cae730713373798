import type { RunContext } from '../run/context.js';
import type { WorkItem } from '../task/work-item.js';
import type { BatchTrial } from '../policy/sizing/batch-cap.js';
import { OutOfMemoryTaskError } from '../handler/task-errors.js';

/** How long a batch waits for company that is being downloaded, rather than starting with fewer images. */
const COMPANY_MS = 200;

/**
 * Whether a batch should wait for more images: only while some of the same job are on their way, it is not full, and its first image
 * has not waited long.
 */
export function shouldWait(
  first: WorkItem,
  ready: number,
  batchSize: number,
  context: Pick<RunContext, 'hold' | 'clock'>,
): boolean {
  if (ready >= batchSize) return false;
  const { hold, clock } = context;
  if (clock.now() - (first.readyAtMs ?? 0) >= COMPANY_MS) return false;
  for (const { stage, jobId } of hold)
    if (jobId === first.jobId && (stage === 'queued' || stage === 'downloading')) return true;
  return false;
}

/** How long {@link shouldWait} may say yes. */
export const MAX_COMPANY_WAIT_MS = COMPANY_MS;

/** Whether an image that ran out of memory may do better in smaller company. */
export function wantsSmaller(item: WorkItem, error: unknown, batchSize: number, trial: BatchTrial): boolean {
  if (!(error instanceof OutOfMemoryTaskError) || batchSize === 1) return false;
  return (trial.smallestWith(item.task.image_id) ?? batchSize) > 1;
}

/** Images of a batch that ran out of memory, in parts of at most half of what they were last tried in. */
export function smallerParts(
  crowded: readonly WorkItem[],
  batchSize: number,
  trial: BatchTrial,
): readonly (readonly WorkItem[])[] {
  const tried = crowded.map(({ task }) => trial.smallestWith(task.image_id) ?? batchSize);
  const room = Math.max(1, Math.min(batchSize, ...tried) >> 1);
  const parts: WorkItem[][] = [];
  for (let start = 0; start < crowded.length; start += room) parts.push(crowded.slice(start, start + room));
  return parts;
}

/** Makes the next batches of the pipeline smaller or larger, as this one taught. */
export function learnFrom(
  trial: BatchTrial,
  { jobId, pipeline }: WorkItem,
  { estimator, bus, logger, phases }: Pick<RunContext, 'estimator' | 'bus' | 'logger' | 'phases'>,
): void {
  // What was ended says nothing about its size.
  if (phases.hard.aborted) return;
  const change = estimator.batchCap(pipeline.slug).learn(trial, pipeline.batchSize);
  if (!change) return;
  const { slug } = pipeline;
  bus.emit('batch_limit', { jobId, pipeline: slug, ...change });
  const fields = { job: jobId, pipeline: slug, reason: change.reason, batchSize: change.to };
  if (change.reason === 'grown') logger.debug(fields, 'batches are one image larger again');
  else logger.warn(fields, 'a batch failed as a whole and went well in parts; the next ones are smaller');
}
