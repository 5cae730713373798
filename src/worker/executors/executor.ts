import type { ProcessContext, ProcessResult, TaskImage } from '../pipeline.js';

/** What became of one image of a batch. */
export type BatchOutcome =
  { readonly ok: true; readonly result: ProcessResult } | { readonly ok: false; readonly error: unknown };

/** Runs a pipeline's handler somewhere: in this thread, in another one, in another process. */
export interface Executor {
  /** Loads the model. Called before the first reservation, so that no task waits for it. */
  warmUp?(context: ProcessContext): Promise<void>;
  /**
   * Processes images of one job.
   * @returns one outcome per image, in order.
   * @throws when the batch as a whole failed (a handler that threw, a process that died); its images are then tried in smaller
   * batches.
   */
  run(batch: readonly TaskImage[], context: ProcessContext): Promise<readonly BatchOutcome[]>;
  close(): Promise<void>;
}
