/** Defaults of the bridge, one sentence each. Durations in milliseconds, sizes in bytes. */
export const BRIDGE_DEFAULTS = {
  /** Between two looks at a service that is not ready. */
  pollIntervalMs: 2_000,
  /** For one `/readyz` or `/livez`. */
  probeTimeoutMs: 10_000,
  /** For `/info`: production services answer with whole label lists, several megabytes. */
  infoTimeoutMs: 120_000,
  /** Largest answer of a service, of `/info` and of `/process`. */
  maxAnswerBytes: 256 * 1024 * 1024,
  /** How long a call waits for a service that went away: weights of some gigabytes from a network disk take minutes. */
  restartTimeoutMs: 300_000,
  /** From the first start of a command to its `/info`. */
  startTimeoutMs: 300_000,
  /** From SIGTERM to SIGKILL, for a command that is no longer needed. */
  stopGraceMs: 2_000,
  /** Images in one call at most: services hold all pictures of a call in memory, 106 MB each at 4K. */
  maxBatchSize: 32,
} as const;
