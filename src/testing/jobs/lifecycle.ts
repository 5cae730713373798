import type { Antenna } from '../antenna.js';
import { TaskQueue } from '../queue/task-queue.js';
import type { CaptureRow, JobRow } from '../state/rows.js';
import { logJob } from './logs.js';
import { findStage, isFinalStatus, newProgress, setParams, updateSummary } from './progress.js';
import type { JobStatus } from './progress.js';

/** Sets the status with the summary following it, as the server's own `update_status` does. */
function setStatus(job: JobRow, status: JobStatus): void {
  job.status = status;
  job.progress.summary.status = status;
}

/** Marks a change that the reaper counts as a sign of life. */
export function touch(antenna: Antenna, job: JobRow): void {
  updateSummary(job.progress);
  job.updatedAt = antenna.store.wallNow();
}

/** Ends a job: final status, end time, queue and counters gone. */
export function finish(antenna: Antenna, job: JobRow, status: JobStatus): void {
  setStatus(job, status);
  job.finishedAt = antenna.store.wallNow();
  discardQueue(job);
}

export function discardQueue(job: JobRow): void {
  job.queue = null;
  job.counters = null;
}

/** `run` and `start_now`: PENDING at once, STARTED when a Celery worker gets to it. */
export function enqueueJob(antenna: Antenna, job: JobRow): void {
  job.status = 'PENDING';
  job.finishedAt = null;
  job.updatedAt = antenna.store.wallNow();
  const delayMs = antenna.settings.startDelayMs + job.delaySeconds * 1000;
  antenna.background.enqueue(delayMs, () => {
    if (!job.deleted && job.status === 'PENDING') startJob(antenna, job);
  });
}

/** Resets the progress (parameters to 0, not `""`) and runs the job again; a live queue gets every task a second time. */
export function retryJob(antenna: Antenna, job: JobRow): void {
  job.progress = newProgress(job.delaySeconds);
  for (const stage of job.progress.stages) for (const param of stage.params) param.value = 0;
  job.progress.summary.status = 'RETRY';
  job.counters = null;
  enqueueJob(antenna, job);
}

/** Collects the images and fills the queue (contract §5.2). */
export function startJob(antenna: Antenna, job: JobRow): void {
  const { store } = antenna;
  setStatus(job, 'STARTED');
  job.startedAt = store.wallNow();
  logJob(job, store.wallNow(), 'INFO', `Changing status of job ${job.id} from PENDING to STARTED`);
  const { found, taken } = collect(antenna, job);
  const stage = findStage(job.progress, 'collect');
  if (stage) {
    // A limit that cuts nothing is not shown (contract §4.10).
    const limit = job.limit !== null && job.limit < found ? { Limit: job.limit } : {};
    setParams(stage, { 'Total Images': found, ...limit });
    stage.status = 'SUCCESS';
    stage.progress = 1;
  }
  const delay = findStage(job.progress, 'delay');
  if (delay) Object.assign(delay, { status: 'SUCCESS', progress: 1 });
  if (job.dispatchMode === 'async_api') publish(antenna, job, taken);
  touch(antenna, job);
}

function collect(antenna: Antenna, job: JobRow): { found: number; taken: CaptureRow[] } {
  const { store } = antenna;
  const all = job.captureIds
    ? job.captureIds.flatMap((id) => store.captures.get(id) ?? [])
    : store.captures.filter((capture) => capture.deploymentId === job.deploymentId);
  const { pipelineId } = job;
  const open = all.filter((capture) => pipelineId === null || !capture.processedBy?.has(pipelineId));
  const ordered = job.shuffle ? antenna.random.shuffle(open) : open;
  return { found: open.length, taken: job.limit === null ? ordered : ordered.slice(0, job.limit) };
}

function publish(antenna: Antenna, job: JobRow, captures: readonly CaptureRow[]): void {
  if (captures.length === 0) {
    for (const stage of job.progress.stages) Object.assign(stage, { status: 'SUCCESS', progress: 1 });
    finish(antenna, job, 'SUCCESS');
    return;
  }
  if (captures.some((capture) => capture.url === null)) {
    logJob(job, antenna.store.wallNow(), 'ERROR', `Failed to queue images for job ${job.id}`);
    finish(antenna, job, 'FAILURE');
    return;
  }
  const ids = captures.map((capture) => String(capture.id));
  job.counters = {
    total: ids.length,
    pendingProcess: new Set(ids),
    pendingResults: new Set(ids),
    failed: new Set(),
  };
  job.queue ??= new TaskQueue(job.id, antenna.settings.queueLimits, antenna.clock, {
    onExpired: (imageId, delivery) => {
      job.ledger.record('expired', imageId, { delivery });
    },
    onExhausted: (imageId, delivery) => {
      job.ledger.record('exhausted', imageId, { delivery });
    },
  });
  for (const capture of captures) {
    job.queue.publish(String(capture.id), capture.url ?? '');
    job.ledger.record('published', String(capture.id));
  }
  logJob(job, antenna.store.wallNow(), 'INFO', `Successfully queued ${ids.length}/${ids.length} images`);
}

/** Cancels (contract §5.6): an async job is REVOKED in the answer already; others pass through CANCELING. */
export function cancelJob(antenna: Antenna, job: JobRow): void {
  const isKeyDialect = antenna.settings.dialect === 'api-key';
  const wasFinal = isFinalStatus(job.status);
  if (job.dispatchMode !== 'async_api' && !wasFinal) {
    setStatus(job, 'CANCELING');
    touch(antenna, job);
    antenna.background.enqueue(antenna.settings.startDelayMs, () => {
      finish(antenna, job, 'REVOKED');
    });
    return;
  }
  discardQueue(job);
  if (isKeyDialect) {
    // This dialect writes the status past its own bookkeeping: the summary and the end time do not follow.
    job.status = 'REVOKED';
    touch(antenna, job);
  } else if (!wasFinal) {
    touch(antenna, job);
    finish(antenna, job, 'REVOKED');
  }
}
