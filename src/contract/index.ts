export * from './algorithms.js';
export { leftOutOf, type LeftOut, type WithLeftOut } from './answer.js';
export * from './auth.js';
export * from './client-info.js';
export * from './create-job.js';
export * from './login.js';
// Of the rest only what users have a use for: helpers that build schemas are ours.
export type { Open, Page } from './common.js';
export {
  DISPATCH_MODES,
  FINAL_JOB_STATUSES,
  isFinal,
  JOB_STATUSES,
  jobPageSchema,
  jobProgress,
  jobProgressSchema,
  jobSchema,
  jobStageSchema,
  jobSummaryPageSchema,
  jobSummarySchema,
  stageParam,
  type Job,
  type JobProgress,
  type JobProgressCounts,
  type JobStage,
  type JobStatus,
  type JobSummary,
} from './jobs.js';
export * from './pipelines.js';
export * from './processing-services.js';
export * from './projects.js';
export * from './registration.js';
export {
  algorithmReferenceSchema,
  boundingBoxSchema,
  classificationSchema,
  detectionSchema,
  errorResultSchema,
  resultsResponseSchema,
  successResultSchema,
  taskResultSchema,
  zonedTimestampSchema,
  type AlgorithmReference,
  type BoundingBox,
  type Classification,
  type Detection,
  type ErrorResult,
  type ResultsResponse,
  type SuccessResult,
  type TaskResult,
} from './results.js';
export * from './service-keys.js';
export { taskDetectionSchema, type TaskDetection, type TaskDetections } from './task-detections.js';
export * from './tasks.js';
export { parseServerTimestamp, SERVER_TIME_ZONE } from './timestamps.js';
export * from './worker-requests.js';
