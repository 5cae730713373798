/** Defaults of the executors, a sentence each. Durations in milliseconds, sizes in bytes. */
export const EXECUTOR_DEFAULTS = {
  /** A handler call that takes longer is ended: with a model of 60 s per image still five times too long. */
  timeoutMs: 300_000,
  /** Loading a module and its model: some gigabytes from a network disk take minutes. */
  startTimeoutMs: 300_000,
  /** From an abort to the end of the thread or process, for a handler that honours its signal. */
  abortGraceMs: 1_000,
  /** One process: a model in memory per process is what usually limits their number. */
  processes: 1,
  /** Batches after which a process is replaced; 0 is never. Leaks are bounded by `maxRssBytes`. */
  maxBatches: 0,
  /** Resident size above which a process is replaced after its batch; 0 is never. */
  maxRssBytes: 0,
} as const;

/**
 * Milliseconds for one call of the handler: the shorter of what the caller allows and what the executor was given. A worker always brings a
 * limit of its own, and the executor's counted for nothing beside it.
 */
export function callTimeoutMs(allowed: number | undefined, own: number | undefined): number {
  if (allowed === undefined && own === undefined) return EXECUTOR_DEFAULTS.timeoutMs;
  return Math.min(allowed ?? Number.POSITIVE_INFINITY, own ?? Number.POSITIVE_INFINITY);
}
