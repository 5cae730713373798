/**
 * The client, the worker, and all that a handler, a credential or a program around them needs.
 * @module antenna-sdk
 */
export { Credential, type Scheme } from './auth/credential.js';
export {
  CREDENTIAL_CHANNELS,
  type CredentialEvent,
  type CredentialHealth,
  type TokenMode,
} from './auth/credential-health.js';
export { clientCredentials, type ClientCredentialsOptions } from './token-providers/client-credentials.js';
export { commandToken, type CommandTokenOptions } from './token-providers/command-token.js';
export { envToken } from './token-providers/env-token.js';
export { fileToken, type FileTokenOptions } from './token-providers/file-token.js';
export { loginToken, type LoginTokenOptions } from './token-providers/login-token.js';
export { staticToken } from './token-providers/static-token.js';
export { Secret } from './auth/secret.js';
export { staticSource, type CredentialRequest, type CredentialSource } from './auth/source.js';
export type {
  TokenAnswer,
  TokenProvider,
  TokenReason,
  TokenRequest,
  TokenScheme,
  TokenWithExpiry,
} from './auth/token-provider.js';
export type { CallCost } from './bridge/cost.js';
export { BRIDGE_DEFAULTS } from './bridge/defaults.js';
export { PushContractError, PushFailureError, PushRetryableError } from './bridge/errors.js';
export type { RefusedPipeline } from './bridge/info.js';
export type { PushServiceOptions } from './bridge/options.js';
export { pushService, type PushService } from './bridge/push-service.js';
export type { StartOptions } from './bridge/service-child.js';
export type { ClientCache } from './cache/client-cache.js';
export type { CacheOptions } from './cache/options.js';
export type { CachedOperation } from './cache/rules.js';
export type { CacheStats } from './cache/store.js';
export { AntennaClient } from './client/client.js';
export type { AntennaClientOptions } from './client/options.js';
export * from './contract/index.js';
export { CLIENT_DEFAULTS } from './http/defaults.js';
export * from './errors/index.js';
export { redact } from './http/redact.js';
export { REQUEST_CHANNELS, type PhaseTimings, type RequestEvent } from './http/diagnostics.js';
export type { FetchLike } from './http/fetch-transport.js';
export type { LeftOutHook } from './http/left-out-report.js';
export type { Id } from './errors/arguments.js';
export type { QueryValue, RequestOptions } from './http/operation.js';
export { silentLogger, type Logger, type LogMethod } from './log/logger.js';
export { checkCredential, type CheckCredentialOptions } from './provisioning/check-credential.js';
export type {
  CredentialLimit,
  CredentialReport,
  CredentialVerdict,
  ServedProject,
} from './provisioning/credential-report.js';
export { writeKeyFile, type WriteKeyFileOptions } from './provisioning/key-file.js';
export type { ProvisionOptions } from './provisioning/plan.js';
export {
  ProvisioningError,
  type ProvisioningErrorOptions,
  type ProvisioningProblem,
  type ProvisioningStep,
  type ServiceReference,
} from './provisioning/errors.js';
export { provision } from './provisioning/provision.js';
export { ProvisionedKey } from './auth/provisioned-key.js';
export type { Provisioned } from './provisioning/result.js';
export type { RegistrationDeviation, RegistrationReport } from './registration/report.js';
export type { Dialect } from './resources/core.js';
export type { JobListOptions, JobsResource, OpenJobsOptions } from './resources/jobs.js';
export type { ListOptions, PagedList } from './resources/pages.js';
export type { PipelinesResource } from './resources/pipelines.js';
export type { RegisterOptions } from './resources/register.js';
export type { AuthResource } from './resources/auth.js';
export type { CredentialHint } from './resources/login.js';
export type { GeneratedKey } from './resources/service-keys.js';
export type { ProcessingServicesResource, ServiceListOptions } from './resources/processing-services.js';
export type { ProjectListOptions, ProjectsResource } from './resources/projects.js';
export { encodeResult, type EncodedResult, type ResultsResource } from './resources/results.js';
export type { TasksResource } from './resources/tasks.js';
export { systemClock, type Clock } from './time/clock.js';
export { VERSION } from './version.js';
export { onTermination, type TerminateHook } from './worker/runtime/terminate-hooks.js';
export { DELIVERY_RULES, type DeliveryRules } from './worker/policy/delivery.js';
export { Downloader } from './worker/images/download.js';
export type { Downloaded } from './worker/images/image-check.js';
export { DOWNLOAD_DEFAULTS, type DownloadLimits } from './worker/images/download-options.js';
export type { Checksum } from './worker/images/image-check.js';
export { foundBoxes, type FoundBox } from './worker/handler/found-boxes.js';
export type { TaskRef, WorkerEvents } from './worker/observe/events.js';
export * from './worker/executors/command/index.js';
export type { Trouble, TroubleStage } from './worker/policy/shares/troubles.js';
export * from './worker/executors/index.js';
export {
  FAILURE_LOG_DEFAULTS,
  type FailureLogOptions,
  type FailurePlace,
  type FailureRecord,
} from './worker/observe/failure-log.js';
export * from './worker/observe/index.js';
export { WORKER_DEFAULTS, type AntennaWorkerOptions } from './worker/run/options.js';
// `Pipeline` is the wire's stored pipeline; a worker's is what definePipeline returns.
export {
  definePipeline,
  type Pipeline as WorkerPipeline,
  type PipelineDefinition,
} from './worker/executors/pipeline.js';
export type {
  HandlerClassification,
  HandlerDetection,
  ProcessBatchHandler,
  ProcessContext,
  ProcessHandler,
  ProcessResult,
  TaskImage,
  WarmUp,
} from './worker/handler/handler.js';
export type { EndReason, Fate, WorkerCounts, WorkerReport } from './worker/task/outcome.js';
export type { HoldBound, Sizing } from './worker/policy/sizing/hold-target.js';
export { SPOOL_DEFAULTS, type SpoolOptions } from './worker/run/options.js';
export { WORKER_CHANNELS, type WorkerSpan } from './worker/observe/spans.js';
export type { WorkerState } from './worker/task/state.js';
export type { ConfigSchema } from './worker/handler/task-config.js';
export {
  OutOfMemoryTaskError,
  PermanentTaskError,
  RetryableTaskError,
} from './worker/handler/task-errors.js';
export type { ItemStage } from './worker/task/work-item.js';
export { AntennaWorker, type RunOptions } from './worker/worker.js';
