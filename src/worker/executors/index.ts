export { HandlerAbortError, type AbortKind } from './abort-reason.js';
export { EXECUTOR_DEFAULTS } from './defaults.js';
export type {
  BatchAttempt,
  BatchContext,
  BatchOutcome,
  Executor,
  ExecutorStats,
  HandlerContext,
} from './executor.js';
export {
  HandlerCrashError,
  HandlerOutputError,
  HandlerStartError,
  HandlerTimeoutError,
  HandlerUnavailableError,
} from './execution-errors.js';
export type { BatchOutput, Handlers } from './handlers.js';
export { InlineExecutor, type InlineExecutorOptions } from './inline.js';
export { ProcessExecutor, type ProcessExecutorOptions } from './process.js';
export { ThreadExecutor, type ThreadExecutorOptions } from './thread.js';
