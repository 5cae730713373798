import type { Executor, ExecutorStats } from './executor.js';
import { HandlerCrashError, HandlerStartError, HandlerTimeoutError } from './execution-errors.js';

/** Counts how calls of a handler ended. */
export class ExecutorTally {
  #crashes = 0;
  #consecutiveCrashes = 0;
  #timeouts = 0;
  #recycles = 0;

  get consecutiveCrashes(): number {
    return this.#consecutiveCrashes;
  }

  succeeded(): void {
    this.#consecutiveCrashes = 0;
  }

  failed(error: unknown): void {
    if (error instanceof HandlerTimeoutError) this.#timeouts += 1;
    if (error instanceof HandlerCrashError) this.#crashes += 1;
    if (error instanceof HandlerCrashError || error instanceof HandlerStartError)
      this.#consecutiveCrashes += 1;
  }

  recycled(): void {
    this.#recycles += 1;
  }

  stats(kind: Executor['kind'], busy: number): ExecutorStats {
    return {
      kind,
      busy,
      crashes: this.#crashes,
      consecutiveCrashes: this.#consecutiveCrashes,
      timeouts: this.#timeouts,
      recycles: this.#recycles,
    };
  }
}
