/** Statuses a job or stage can show (contract §5.1). */
export type JobStatus =
  | 'CREATED'
  | 'PENDING'
  | 'STARTED'
  | 'SUCCESS'
  | 'FAILURE'
  | 'RETRY'
  | 'CANCELING'
  | 'REVOKED'
  | 'RECEIVED'
  | 'UNKNOWN';

const FINAL_STATUSES: readonly JobStatus[] = ['SUCCESS', 'FAILURE', 'REVOKED'];

export function isFinalStatus(status: JobStatus): boolean {
  return FINAL_STATUSES.includes(status);
}

/** One number of a stage. */
export interface StageParam {
  name: string;
  key: string;
  category: string;
  /** `""` until first set, then a number (T43). */
  value: number | '';
}

/** One stage of a job's progress: `collect`, `process` or `results`, and `delay` before them if the job has one. */
export interface Stage {
  status: JobStatus;
  /** 0 to 1. */
  progress: number;
  key: string;
  name: string;
  params: StageParam[];
}

/** A job's progress, as the API shows it. */
export interface Progress {
  summary: { status: JobStatus; progress: number };
  stages: Stage[];
  errors: string[];
  logs: string[];
}

function param(name: string): StageParam {
  return { name, key: name.toLowerCase().replaceAll(' ', '_'), category: 'default', value: '' };
}

function stage(name: string, params: string[]): Stage {
  return { status: 'CREATED', progress: 0, key: name.toLowerCase(), name, params: params.map(param) };
}

/** The stages of a new machine-learning job. */
export function newProgress(delaySeconds: number): Progress {
  const delay = delaySeconds > 0 ? [stage('Delay', ['Delay'])] : [];
  return {
    summary: { status: 'CREATED', progress: 0 },
    stages: [
      ...delay,
      stage('Collect', ['Total Images']),
      stage('Process', ['Processed', 'Remaining', 'Failed']),
      stage('Results', ['Captures', 'Detections', 'Classifications']),
    ],
    errors: [],
    logs: [],
  };
}

export function findStage(progress: Progress, key: string): Stage | undefined {
  return progress.stages.find((candidate) => candidate.key === key);
}

/** Sets parameters by name, adding those that are missing. */
export function setParams(target: Stage, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    const added = param(name);
    const existing = target.params.find((candidate) => candidate.key === added.key);
    if (existing) existing.value = value;
    else target.params.push({ ...added, value });
  }
}

export function readParam(progress: Progress, stageKey: string, paramKey: string): number {
  const value = findStage(progress, stageKey)?.params.find((candidate) => candidate.key === paramKey)?.value;
  return typeof value === 'number' ? value : 0;
}

/** The summary's progress is the mean over the stages (contract §5.2). */
export function updateSummary(progress: Progress): void {
  if (progress.stages.length === 0) return;
  const sum = progress.stages.reduce((total, current) => total + current.progress, 0);
  progress.summary.progress = sum / progress.stages.length;
}

/** Share of failed images above which a stage fails (strictly above: exactly half succeeds, contract §5.3). */
export const FAILURE_THRESHOLD = 0.5;

/**
 * The status of a stage after a result. FAILURE is sticky: it stays even when the share of failures falls again.
 */
export function stageStatus(current: JobStatus, remaining: number, failed: number, total: number): JobStatus {
  if (current === 'FAILURE') return 'FAILURE';
  if (total > 0 && failed / total > FAILURE_THRESHOLD) return 'FAILURE';
  return remaining === 0 ? 'SUCCESS' : 'STARTED';
}
