import type { Antenna } from '../antenna.js';
import { BoundedLog } from '../bounded-log.js';
import { JobLedger } from '../jobs/ledger.js';
import { newProgress } from '../jobs/progress.js';
import { Receipts } from '../jobs/receipts.js';
import { times } from './new-rows.js';
import type { DispatchMode, JobRow, ProjectRow } from './rows.js';

/** Lines kept per job; the real server keeps 1000 (contract §4.10). */
const LOG_LIMIT = 1000;

export interface NewJob {
  readonly id?: number;
  readonly name: string;
  readonly project: ProjectRow;
  readonly pipelineId: number | null;
  readonly deploymentId?: number | null;
  readonly singleCaptureId?: number | null;
  readonly collectionId?: number | null;
  readonly captureIds?: readonly number[] | null;
  readonly dispatchMode: DispatchMode;
  readonly jobType?: string;
  readonly delaySeconds?: number;
  readonly limit?: number | null;
  readonly shuffle?: boolean;
}

/** Adds a job in state CREATED. */
export function addJob(antenna: Antenna, values: NewJob): JobRow {
  const { store, settings } = antenna;
  const wallNow = (): number => store.wallNow();
  const singleCaptureId = values.singleCaptureId ?? null;
  return store.jobs.add({
    id: store.jobs.takeId(values.id),
    name: values.name,
    projectId: values.project.id,
    pipelineId: values.pipelineId,
    deploymentId: values.deploymentId ?? null,
    singleCaptureId,
    collectionId: values.collectionId ?? null,
    captureIds: values.captureIds ?? (singleCaptureId === null ? null : [singleCaptureId]),
    dispatchMode: values.dispatchMode,
    jobType: values.jobType ?? 'ml',
    delaySeconds: values.delaySeconds ?? 0,
    limit: values.limit ?? null,
    shuffle: values.shuffle ?? true,
    status: 'CREATED',
    progress: newProgress(values.delaySeconds ?? 0),
    counters: null,
    queue: null,
    ...times(store),
    startedAt: null,
    finishedAt: null,
    deleted: false,
    logs: new BoundedLog(LOG_LIMIT),
    errorLogs: new BoundedLog(LOG_LIMIT),
    ledger: new JobLedger(settings.ledgerLimit, wallNow),
    receipts: new Receipts(settings.resultLimit, wallNow),
  });
}
