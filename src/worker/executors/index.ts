export { HandlerAbortError, type AbortKind } from './joined-signal.js';
export { EXECUTOR_DEFAULTS } from './defaults.js';
export type { BatchAttempt, BatchContext, BatchOutcome, Executor, ExecutorStats } from './executor.js';
export type { HandlerContext } from '../handler/handler.js';
export {
  HandlerCrashError,
  HandlerOutputError,
  HandlerStartError,
  HandlerTimeoutError,
  HandlerUnavailableError,
} from './execution-errors.js';
export type { Handlers } from './handlers.js';
export type { BatchOutput } from '../handler/handler.js';
export { InlineExecutor, type InlineExecutorOptions } from './inline.js';
export { ProcessExecutor, type ProcessExecutorOptions } from './process.js';
export { ThreadExecutor, type ThreadExecutorOptions } from './thread.js';
