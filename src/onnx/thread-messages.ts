import type { MessagePort } from 'node:worker_threads';
import type { ConfigIssue } from '../errors/config.js';
import type { Logger } from '../log/logger.js';
import type { ProcessResult } from '../worker/handler/handler.js';
import type { WireError } from '../worker/executors/wire-error.js';
import type { ImageTimings } from './detect.js';
import type { ModelReply, ModelRequest } from './model-queue.js';
import type { LoadedModel, Plan } from './plan.js';
import type { ImageToProcess } from './process-image.js';

/** What a session thread is told. */
export type ToSession = { readonly type: 'serve'; readonly port: MessagePort } | { readonly type: 'close' };

/** What a session thread tells. */
export type FromSession =
  | { readonly type: 'loaded'; readonly models: readonly LoadedModel[] }
  | { readonly type: 'refused'; readonly issues: readonly ConfigIssue[] }
  | { readonly type: 'failed'; readonly error: WireError }
  | { readonly type: 'log'; readonly level: keyof Logger; readonly message: string };

/** What a preparing thread asks a session thread, and its answer. */
export interface SessionRequest {
  readonly id: number;
  readonly request: ModelRequest;
}
export type SessionReply =
  { readonly id: number; readonly reply: ModelReply } | { readonly id: number; readonly error: WireError };

/** What a preparing thread is told. */
export type ToPrepare =
  | {
      readonly type: 'plan';
      readonly plan: Plan;
      readonly memoryBytes: number;
      readonly ports: readonly MessagePort[];
    }
  | { readonly type: 'image'; readonly id: number; readonly image: ImageToProcess }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'close' };

/** What a preparing thread tells. */
export type FromPrepare =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly error: WireError }
  | {
      readonly type: 'done';
      readonly id: number;
      readonly result: ProcessResult;
      readonly timings: ImageTimings;
    }
  | { readonly type: 'error'; readonly id: number; readonly error: WireError };
