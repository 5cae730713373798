export {
  health,
  HEALTH_LIMITS,
  type HealthCheck,
  type HealthFacts,
  type HealthLimits,
  type HealthReport,
  type HealthStatus,
  type ServerTrouble,
} from './health.js';
export {
  startHealthServer,
  type HealthServer,
  type HealthServerOptions,
  type HealthSource,
} from './health-server.js';
export { LatencyHistogram, type LatencySummary } from './latency.js';
export type {
  FailureOverview,
  ImageOverview,
  JobOverview,
  MachineOverview,
  WorkerOverview,
} from './status.js';
export { StatusBoard, type StatusBoardOptions, type WatchedWorker } from './status-board.js';
export { Pace, type PaceReading } from './pace.js';
export { progressBar, type ProgressBar, type ProgressBarOptions, type ProgressEvents } from './progress.js';
export { readStatus, type ReadStatusOptions } from './read-status.js';
export type { EventSource } from './record-events.js';
export type {
  LoopDelaySummary,
  SizingEstimates,
  Stage,
  WorkerCounters,
  SavingGauge,
  WorkerGauges,
  WorkerMetricsSnapshot,
} from './snapshot.js';
