import type { RunContext } from '../runtime/context.js';
import type { WorkItem } from '../runtime/work-item.js';

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
