import { z } from 'zod';
import { idSchema, openEnum, pageSchema } from './common.js';

/** Statuses of a job (contract §5.1). */
export const JOB_STATUSES = [
  'CREATED',
  'PENDING',
  'STARTED',
  'SUCCESS',
  'FAILURE',
  'RETRY',
  'CANCELING',
  'REVOKED',
  'RECEIVED',
  'UNKNOWN',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** A job in one of these never serves a task again. */
export const FINAL_JOB_STATUSES: readonly string[] = ['SUCCESS', 'FAILURE', 'REVOKED'];

/** How a job reaches its workers; only `async_api` jobs have tasks to take. */
export const DISPATCH_MODES = ['internal', 'sync_api', 'async_api'] as const;

/** An entry of `GET jobs/?ids_only=1`. */
export const jobSummarySchema = z.looseObject({ id: idSchema, pipeline_slug: z.string().nullish() });
export type JobSummary = z.infer<typeof jobSummarySchema>;

const stageParamSchema = z.looseObject({
  key: z.string(),
  name: z.string().optional(),
  /** `""` until first set, then a number (trap T43). */
  value: z.unknown(),
});

/** One stage of a job's progress; `progress` runs from 0 to 1. */
export const jobStageSchema = z.looseObject({
  key: z.string(),
  name: z.string().optional(),
  status: openEnum<JobStatus>(),
  progress: z.number(),
  params: z.array(stageParamSchema).default([]),
});
export type JobStage = z.infer<typeof jobStageSchema>;

export const jobProgressSchema = z.looseObject({
  summary: z.looseObject({ status: openEnum<JobStatus>(), progress: z.number() }),
  stages: z.array(jobStageSchema),
  errors: z.array(z.unknown()).optional(),
});
export type JobProgress = z.infer<typeof jobProgressSchema>;

const refSchema = z.looseObject({ id: idSchema, name: z.string().nullish() });

/** A job (contract §4.10). Every nested object may be null. `duration` is a string of seconds. */
export const jobSchema = z.looseObject({
  id: idSchema,
  name: z.string().nullish(),
  status: openEnum<JobStatus>(),
  dispatch_mode: openEnum<(typeof DISPATCH_MODES)[number]>().nullish(),
  project: refSchema.nullish(),
  deployment: refSchema.nullish(),
  pipeline: z.looseObject({ id: idSchema, slug: z.string(), name: z.string().nullish() }).nullish(),
  progress: jobProgressSchema.nullish(),
  job_type: z.looseObject({ key: z.string() }).nullish(),
  created_at: z.string().nullish(),
  updated_at: z.string().nullish(),
  started_at: z.string().nullish(),
  finished_at: z.string().nullish(),
  duration: z.string().nullish(),
});
export type Job = z.infer<typeof jobSchema>;

export const jobPageSchema = pageSchema(jobSchema);
export const jobSummaryPageSchema = pageSchema(jobSummarySchema);

/** A numeric parameter of a stage, or undefined while the server still shows `""` for it (trap T43). */
export function stageParam(job: Job, stageKey: string, paramKey: string): number | undefined {
  const stage = job.progress?.stages.find((candidate) => candidate.key === stageKey);
  const value = stage?.params.find((param) => param.key === paramKey)?.value;
  return typeof value === 'number' ? value : undefined;
}

/**
 * How many of a job's tasks the background has dealt with, of how many; undefined if the job shows no such numbers. Hints, not accounts:
 * they are updated without a lock (trap T52).
 */
export function savedOf(job: Job): { readonly total: number; readonly saved: number } | undefined {
  const processed = stageParam(job, 'process', 'processed');
  const remaining = stageParam(job, 'process', 'remaining');
  if (processed !== undefined && remaining !== undefined)
    return { total: processed + remaining, saved: processed };
  const images = stageParam(job, 'collect', 'total_images');
  if (images === undefined) return undefined;
  return { total: Math.min(images, stageParam(job, 'collect', 'limit') ?? images), saved: processed ?? 0 };
}

/** True when the job can never serve a task again. */
export function isFinal(job: Pick<Job, 'status'>): boolean {
  return FINAL_JOB_STATUSES.includes(job.status);
}

/** How far a job is, in images. */
export interface JobProgressCounts {
  /** Images with a saved outcome, failures included. */
  readonly done: number;
  readonly failed: number;
  /** Undefined while the server still collects. */
  readonly total: number | undefined;
}

/**
 * Reads a job's counts out of its stages. The server's own numbers, and hints only: they are updated without a lock and may end
 * below the truth (contract §10, 52).
 */
export function jobProgress(job: Job): JobProgressCounts {
  const done = stageParam(job, 'process', 'processed') ?? 0;
  const remaining = stageParam(job, 'process', 'remaining');
  const collected = stageParam(job, 'collect', 'total_images');
  const limit = stageParam(job, 'collect', 'limit');
  // A limit is shown only if it is below the number of images; what is left counts from the smaller one.
  const planned = collected === undefined ? undefined : Math.min(collected, limit ?? collected);
  // Before the first result the parameters of the process stage are 0, remaining included.
  const counted = remaining === undefined || done + remaining === 0 ? undefined : done + remaining;
  return { done, failed: stageParam(job, 'process', 'failed') ?? 0, total: counted ?? planned };
}
