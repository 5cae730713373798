import type { Job } from '../../contract/jobs.js';
import { parseServerTimestamp } from '../../contract/timestamps.js';

/** What to do with results that an earlier process left. */
export type ReplayDecision = { readonly post: true } | { readonly post: false; readonly reason: string };

/** What {@link decideReplay} goes by. */
export interface ReplayFacts {
  /** The job as the server shows it now; undefined when it is gone. */
  readonly job: Pick<Job, 'status' | 'started_at'> | undefined;
  /** When the results were written, in milliseconds since the Unix epoch, on the server's clock: so is the job's start. */
  readonly createdAtMs: number;
  /** On the server's clock. */
  readonly nowMs: number;
  readonly maxAgeMs: number;
}

/**
 * Whether results from disk may be posted. Not into a job that was started again since: its queue counts from one again, so an old
 * reply subject would acknowledge somebody else's task. Not into one that is not running: an active job without progress is set to
 * FAILURE by a result, a finished one throws it away (contract §6.4).
 */
export function decideReplay({ job, createdAtMs, nowMs, maxAgeMs }: ReplayFacts): ReplayDecision {
  const refuse = (reason: string): ReplayDecision => ({ post: false, reason });
  if (nowMs - createdAtMs > maxAgeMs) return refuse('too old');
  if (job === undefined) return refuse('the job is gone');
  if (job.status !== 'STARTED') return refuse(`the job is ${job.status}`);
  const startedAtMs = startOf(job);
  if (startedAtMs === undefined) return refuse('the job does not say when it was started');
  if (startedAtMs >= createdAtMs) return refuse('the job was started again since');
  return { post: true };
}

/**
 * Both times as the server's clock showed them. Each with the offset of its own moment, since a machine in the field sets its clock when a
 * network is in reach again; the other one's, as far as only that is known.
 */
export function onServerClock(
  written: { readonly createdAtMs: number; readonly clockOffsetMs?: number | undefined },
  now: { readonly nowMs: number; readonly clockOffsetMs: number | undefined },
): Pick<ReplayFacts, 'createdAtMs' | 'nowMs'> {
  return {
    createdAtMs: written.createdAtMs + (written.clockOffsetMs ?? now.clockOffsetMs ?? 0),
    nowMs: now.nowMs + (now.clockOffsetMs ?? written.clockOffsetMs ?? 0),
  };
}

function startOf({ started_at }: Pick<Job, 'started_at'>): number | undefined {
  if (started_at === null || started_at === undefined) return undefined;
  try {
    return parseServerTimestamp(started_at).getTime();
  } catch {
    return undefined;
  }
}
