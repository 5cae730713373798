import type { ProcessContext, ProcessResult, TaskImage } from '../handler/handler.js';

/** What became of one image of a batch. */
export type BatchOutcome =
  { readonly ok: true; readonly result: ProcessResult } | { readonly ok: false; readonly error: unknown };

/** How one call of a handler ended, the parts of a batch that was cut included. */
export interface BatchAttempt {
  /** The images that were in the call. */
  readonly images: readonly TaskImage[];
  /** Why the call failed as a whole, or its out-of-memory error if only some images got one; undefined if it went well. */
  readonly error: unknown;
}

/** What a batch is run with. */
export type BatchContext = ProcessContext & {
  /** Slug of the pipeline, for executors whose handler serves several. */
  readonly pipeline?: string | undefined;
  /** Tells handlers of a graceful stop; aborts nothing. */
  readonly stopping?: AbortSignal | undefined;
  /**
   * Milliseconds for one call of the handler: one image with `process`, one batch with `processBatch`. After that the call is aborted
   * and its thread or process is ended. The executor's `timeoutMs` counts if it is shorter.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * The caller gives the images' bytes away: a thread gets them without a copy, and the caller's `Buffer` is empty afterwards, so the
   * batch cannot be run again. Only for handlers of single images. Default false.
   */
  readonly transferBytes?: boolean | undefined;
  /**
   * Hears of every call of the handler, in the order in which they end. From these the worker learns how large a batch may be. An executor
   * that cuts batches itself and tells nothing is only asked for smaller ones when `run` rejects or gives an `OutOfMemoryTaskError`.
   */
  readonly onAttempt?: ((attempt: BatchAttempt) => void) | undefined;
};

/** Facts about an executor since it was made. */
export interface ExecutorStats {
  readonly kind: Executor['kind'];
  /** Calls of the handler that run now. */
  readonly busy: number;
  /** Threads or processes that died under a call. */
  readonly crashes: number;
  /** Crashes and failed starts since the last call that ended well. A number that grows says that nothing works any more. */
  readonly consecutiveCrashes: number;
  /** Calls that took longer than allowed. */
  readonly timeouts: number;
  /** Processes that were replaced because of their age or size. */
  readonly recycles: number;
}

/**
 * Runs a pipeline's handler somewhere.
 *
 * `run` rejects for wrong arguments (`AntennaConfigError`) and for nothing else: a handler that throws, a process that dies, a result that is missing is the error of the images concerned. A
 * batch that fails as a whole is cut in halves, down to single images, so that only the poisonous one gets the error.
 */
export interface Executor {
  readonly kind: 'inline' | 'thread' | 'process' | 'command' | 'attached' | 'service';
  /**
   * True if every call ends soon after its `timeoutMs`, and after its signal aborts, whatever the handler does. A call of any other
   * executor is watched by the worker, and given up if it does not end.
   */
  readonly endsEveryCall?: boolean | undefined;
  /**
   * Loads the handler and its model in every thread or process. Call it before the first reservation, so that no task waits for it.
   * @returns milliseconds per image, if the handler's `warmUp` measured and returned them.
   * @throws HandlerStartError when the handler cannot be loaded.
   */
  warmUp?(
    context?: ProcessContext & { readonly stopping?: AbortSignal | undefined },
  ): Promise<number | undefined>;
  /**
   * Processes images of one job.
   * @returns one outcome per image, in the order of the batch.
   */
  run(batch: readonly TaskImage[], context: BatchContext): Promise<readonly BatchOutcome[]>;
  /**
   * Aborts what runs (reason `shutdown`), waits for it no longer than the grace, ends threads and processes. Batches that are given
   * later get a `HandlerAbortError`. Harmless when called again.
   */
  close(options?: { readonly graceMs?: number | undefined }): Promise<void>;
  stats?(): ExecutorStats;
  /**
   * Why no task should be taken for it now, in words that an operator can act on; undefined if it works. Asked before every reservation:
   * a task that is taken for a model that is away only loses a delivery.
   */
  unavailable?(): string | undefined;
}
