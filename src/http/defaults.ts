/** Defaults of the client, one sentence each. Durations in milliseconds, sizes in bytes. */
export const CLIENT_DEFAULTS = {
  /** A whole call: credential, all attempts, all waits between them. */
  timeoutMs: 120_000,
  /** One attempt. Posting results has 60 s: a post of many megabytes on a slow uplink is not a hang. */
  attemptTimeoutMs: 30_000,
  /** Making a connection, TLS included. */
  connectTimeoutMs: 10_000,
  /** Attempts after the first (DESIGN §3). */
  retries: 3,
  /** Connections held open to the server at most. */
  maxConnections: 64,
  /** Answers above this are refused; the largest that the server sends are lists, of a few megabytes. */
  maxResponseBytes: 64 * 1024 * 1024,
  /** A token is renewed this long before its end, or in the last third of its lifetime if that is shorter (DESIGN §4). */
  tokenRefreshWindowMs: 300_000,
  /** One call of a token provider. Below an attempt's 30 s, so that a hanging issuer is named instead of a time-out. */
  tokenTimeoutMs: 20_000,
} as const;
