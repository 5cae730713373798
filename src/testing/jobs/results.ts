import type { Antenna } from '../antenna.js';
import { parseReplySubject } from '../queue/reply-subject.js';
import type { Counters, JobRow } from '../state/rows.js';
import { isPostedError } from '../validate/result-schema.js';
import type { PostedResult, PostedSuccess } from '../validate/result-schema.js';
import { discardQueue, finish, touch } from './lifecycle.js';
import { logJob } from './logs.js';
import { findStage, isFinalStatus, readParam, setParams, stageStatus } from './progress.js';
import type { Stage } from './progress.js';
import type { ResultOutcome } from './receipts.js';
import { SaveFailure, saveResult } from './saving.js';

/** Processes one accepted result, in the order of steps of the real server (contract §13). */
export function processResult(antenna: Antenna, job: JobRow, posted: PostedResult): ResultOutcome {
  const imageIds = imageIdsOf(posted);
  if (job.deleted) return drop(job, imageIds, 'the job was deleted');
  const { counters } = job;
  if (!counters) return withoutCounters(antenna, job, posted, imageIds);

  const failed = isPostedError(posted.result);
  for (const id of imageIds) {
    counters.pendingProcess.delete(id);
    if (failed) counters.failed.add(id);
  }
  updateProgress(antenna, job, () => {
    updateProcessStage(antenna, job, counters);
  });

  if (!isPostedError(posted.result)) {
    const failure = trySave(antenna, job, posted.result, imageIds);
    if (failure !== undefined) return { kind: 'save-failed', reason: failure };
  }
  const isKeyDialect = antenna.settings.dialect === 'api-key';
  if (isKeyDialect) acknowledge(antenna, posted.reply_subject);
  recordCounting(job, counters, imageIds, failed);
  updateProgress(antenna, job, () => {
    updateResultsStage(antenna, job, counters, posted, imageIds);
  });
  completeIfDone(antenna, job, counters);
  if (!isKeyDialect) acknowledge(antenna, posted.reply_subject);
  if (imageIds.length === 0) return { kind: 'nothing-counted' };
  return { kind: failed ? 'error-counted' : 'saved' };
}

/** The images a result speaks of; none means that nothing is counted and the task is lost (T27). */
export function imageIdsOf(posted: PostedResult): string[] {
  const { result } = posted;
  if (isPostedError(result)) return result.image_id === null ? [] : [result.image_id];
  return result.source_images.map((image) => image.id);
}

/** A job without counters is over, or was never started; in that case the result turns it to FAILURE (T30). */
function withoutCounters(
  antenna: Antenna,
  job: JobRow,
  posted: PostedResult,
  imageIds: readonly string[],
): ResultOutcome {
  const reason = isFinalStatus(job.status)
    ? `the job is ${job.status}`
    : `the job was ${job.status} without a queue`;
  if (!isFinalStatus(job.status)) {
    logJob(
      job,
      antenna.store.wallNow(),
      'ERROR',
      `Job ${job.id} marked as FAILURE: Redis state missing for job`,
    );
    finish(antenna, job, 'FAILURE');
  }
  acknowledge(antenna, posted.reply_subject);
  return drop(job, imageIds, reason);
}

function drop(job: JobRow, imageIds: readonly string[], reason: string): ResultOutcome {
  for (const id of orNone(imageIds)) job.ledger.record('dropped', id, { reason });
  return { kind: 'dropped', reason };
}

function orNone(imageIds: readonly string[]): readonly string[] {
  return imageIds.length > 0 ? imageIds : [''];
}

/** Progress is read, changed and written without a lock: what another process wrote meanwhile may take its place (T52). */
function updateProgress(antenna: Antenna, job: JobRow, update: () => void): void {
  const before = antenna.saving.losesUpdate() ? structuredClone(job.progress) : undefined;
  update();
  if (before) job.progress = before;
}

function updateProcessStage(antenna: Antenna, job: JobRow, counters: Counters): void {
  const stage = findStage(job.progress, 'process');
  if (!stage) return;
  const remaining = counters.pendingProcess.size;
  setParams(stage, {
    Processed: counters.total - remaining,
    Remaining: remaining,
    Failed: counters.failed.size,
  });
  advanceStage(antenna, job, stage, remaining, counters);
}

function advanceStage(
  antenna: Antenna,
  job: JobRow,
  stage: Stage,
  remaining: number,
  counters: Counters,
): void {
  stage.progress = counters.total === 0 ? 1 : (counters.total - remaining) / counters.total;
  stage.status = stageStatus(stage.status, remaining, counters.failed.size, counters.total);
  // Saving a job in the `api-key` dialect lifts a stage with a final status to 1.0 (contract §5.4).
  if (stage.status === 'FAILURE' && antenna.settings.dialect === 'api-key') stage.progress = 1;
  touch(antenna, job);
}

function trySave(
  antenna: Antenna,
  job: JobRow,
  result: PostedSuccess,
  imageIds: readonly string[],
): string | undefined {
  try {
    const injected = antenna.outages.failSaving?.(imageIds, job.id);
    if (injected !== undefined) throw new SaveFailure(injected);
    saveResult(antenna, result);
    return undefined;
  } catch (error) {
    if (!(error instanceof SaveFailure)) throw error;
    logJob(job, antenna.store.wallNow(), 'ERROR', `Error processing pipeline result: ${error.message}`);
    for (const id of orNone(imageIds)) job.ledger.record('save-failed', id, { reason: error.message });
    return error.message;
  }
}

/** Any delivery's subject acknowledges its task, in whichever job's queue it names. */
function acknowledge(antenna: Antenna, replySubject: string): void {
  const subject = parseReplySubject(replySubject);
  const job = antenna.store.jobs.get(subject?.jobId);
  if (!subject || !job) return;
  const imageId = job.queue?.acknowledge(subject.streamSequence);
  if (imageId !== undefined) job.ledger.record('acknowledged', imageId, { replySubject });
}

/** `results` is the stage that counts: an image whose result failed to save has left `process` and is still open here. */
function recordCounting(job: JobRow, counters: Counters, imageIds: readonly string[], failed: boolean): void {
  const outcome = failed ? 'error' : 'success';
  for (const id of imageIds) {
    job.ledger.record(counters.pendingResults.has(id) ? 'counted' : 'counted-again', id, { outcome });
  }
}

function updateResultsStage(
  antenna: Antenna,
  job: JobRow,
  counters: Counters,
  posted: PostedResult,
  imageIds: readonly string[],
): void {
  const stage = findStage(job.progress, 'results');
  if (!stage) return;
  let removed = 0;
  for (const id of imageIds) if (counters.pendingResults.delete(id)) removed++;
  // `token` counts a duplicate nothing; `api-key` counts it again (contract §6.4).
  const counts = removed > 0 || antenna.settings.dialect === 'api-key' ? countsOf(posted) : NO_COUNTS;
  setParams(stage, {
    Captures: readParam(job.progress, 'results', 'captures') + counts.captures,
    Detections: readParam(job.progress, 'results', 'detections') + counts.detections,
    Classifications: readParam(job.progress, 'results', 'classifications') + counts.classifications,
  });
  advanceStage(antenna, job, stage, counters.pendingResults.size, counters);
}

const NO_COUNTS = { captures: 0, detections: 0, classifications: 0 };

function countsOf(posted: PostedResult): typeof NO_COUNTS {
  const { result } = posted;
  if (isPostedError(result)) return NO_COUNTS;
  return {
    captures: result.source_images.length,
    detections: result.detections.length,
    classifications: result.detections.reduce((sum, detection) => sum + detection.classifications.length, 0),
  };
}

function completeIfDone(antenna: Antenna, job: JobRow, counters: Counters): void {
  const { stages } = job.progress;
  if (!stages.every((stage) => isFinalStatus(stage.status) && stage.progress >= 1)) return;
  const everyImageCounted = counters.pendingProcess.size === 0 && counters.pendingResults.size === 0;
  if (!everyImageCounted) {
    // `api-key` only: the lifted stages look complete, so queue and counters go while the job stays STARTED (§5.4).
    discardQueue(job);
    return;
  }
  const failed = stages.some((stage) => stage.status === 'FAILURE');
  finish(antenna, job, failed ? 'FAILURE' : 'SUCCESS');
  touch(antenna, job);
}
