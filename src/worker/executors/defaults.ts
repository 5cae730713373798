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
