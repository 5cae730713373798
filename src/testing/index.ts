/**
 * An Antenna in memory, to test a worker against: the contract server, images, faults and a clock.
 * @module antenna-sdk/testing
 */
export { createContractServer } from './server.js';
export type { ContractServer, SavingControl, ServerClock } from './server.js';
export type { ContractServerOptions, Dialect } from './options.js';
export { createTestClock } from './time/test-clock.js';
export type { TestClock } from './time/test-clock.js';
export type { Clock } from './time/clock.js';
export type { ListenOptions, Listener } from './transport/listen.js';
export type { FetchLike } from './transport/fetch.js';
export type { LoggedRequest } from './request-log.js';
export type { UserHandle, UserOptions } from './build/user.js';
export type { ProjectHandle, ProjectOptions } from './build/project.js';
export type { KeyHandle, KeyOptions, ServiceHandle, ServiceOptions } from './build/service.js';
export type { AlgorithmOptions, PipelineHandle, PipelineOptions } from './build/pipeline.js';
export type { ImageOptions, JobCounts, JobHandle, JobOptions } from './build/job.js';
export type { ImageAccount, JobLedger, LedgerEvent, LedgerKind } from './jobs/ledger.js';
export type { JobStatus, Progress, Stage, StageParam } from './jobs/progress.js';
export type { ResultReceipt } from './jobs/receipts.js';
export type { ResultOutcome } from './jobs/receipts.js';
export type {
  PostedClassification,
  PostedDetection,
  PostedError,
  PostedSuccess,
} from './validate/result-schema.js';
export type { SavingOptions } from './jobs/save-line.js';
export type { QueueCounts } from './queue/task-queue.js';
export type { DispatchMode, Role, SavedClassification, SavedDetection } from './state/rows.js';
export { createImageHost } from './images/image-host.js';
export type { ImageHost, ImageHostOptions, ImageRequest } from './images/image-host.js';
export type { ImageFaults } from './images/image-faults.js';
export { generateImage } from './images/generate.js';
export type { DrawnInsect, GeneratedImage, GeneratedImageOptions } from './images/generate.js';
export type { FaultHandle, Intervention } from './faults/chain.js';
export type { Faults, SaveFailureOptions } from './faults/faults.js';
export type { AnswerOptions, HandledOption, HttpFaults } from './faults/http-faults.js';
export type { RouteName, Scope } from './faults/scope.js';
export type { RequestRecord, ResponseRecord, Reply } from './messages.js';
export { serveContractServer } from './seed/serve.js';
export type { ServedContractServer } from './seed/serve.js';
export type { ContractServerSeed } from './seed/schema.js';
