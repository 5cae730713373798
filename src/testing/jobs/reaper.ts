import type { Antenna } from '../antenna.js';
import type { JobRow } from '../state/rows.js';
import { finish, touch } from './lifecycle.js';
import { FAILURE_THRESHOLD, findStage, setParams } from './progress.js';
import type { JobStatus } from './progress.js';

const REAPED: readonly JobStatus[] = ['PENDING', 'STARTED', 'RETRY', 'CANCELING', 'UNKNOWN'];

/**
 * Ends jobs that nothing has happened to for too long (contract §5.5). In `token`, a job with a live queue has its pending
 * images marked failed and ends by the 50 % rule; any other idle job is REVOKED.
 * @returns the ids of the jobs ended.
 */
export function reapIdleJobs(antenna: Antenna): number[] {
  const { dialect, reapAfterMs } = antenna.settings;
  const idleSince = antenna.store.wallNow() - reapAfterMs;
  const reaped = dialect === 'api-key' ? [...REAPED, 'CREATED'] : REAPED;
  const idle = antenna.store.jobs.filter((job) => reaped.includes(job.status) && job.updatedAt < idleSince);
  for (const job of idle) {
    if (dialect === 'token' && job.counters && job.queue) failPending(antenna, job);
    else finish(antenna, job, 'REVOKED');
  }
  return idle.map((job) => job.id);
}

function failPending(antenna: Antenna, job: JobRow): void {
  const { counters } = job;
  if (!counters) return;
  const pending = new Set([...counters.pendingProcess, ...counters.pendingResults]);
  for (const id of pending) {
    counters.failed.add(id);
    job.ledger.record('reaped', id);
  }
  counters.pendingProcess.clear();
  counters.pendingResults.clear();
  job.progress.errors.push(
    `Marked ${pending.size} images as failed: no progress for ${antenna.settings.reapAfterMs / 60_000} minutes`,
  );
  const failed = counters.failed.size / counters.total > FAILURE_THRESHOLD;
  const status = failed ? 'FAILURE' : 'SUCCESS';
  const process = findStage(job.progress, 'process');
  if (process) setParams(process, { Processed: counters.total, Remaining: 0, Failed: counters.failed.size });
  for (const stage of job.progress.stages) {
    stage.progress = 1;
    if (stage.key !== 'collect' && stage.status !== 'FAILURE') stage.status = status;
  }
  finish(antenna, job, job.progress.stages.some((stage) => stage.status === 'FAILURE') ? 'FAILURE' : status);
  touch(antenna, job);
}
