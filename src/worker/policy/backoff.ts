/** First backoff ceiling; doubles with each failure (WORKER §3.5). */
const POST_BACKOFF_BASE_MS = 500;
/** Highest backoff ceiling after a failure that may pass. */
const POST_BACKOFF_CAP_MS = 30_000;
/** The share of a lease that a post may be left waiting for between two tries. */
const LEASE_SHARE = 0.25;
/** Highest wait while the server does not accept our credential. */
const HOLD_CAP_MS = 60_000;

/**
 * Full jitter: anywhere between nothing and `min(cap, base × 2ⁿ)`, and never less than the server asked for.
 * @param failures - failures so far, 1 after the first.
 * @param random - in [0, 1).
 * @param capMs - highest ceiling.
 */
export function postBackoffMs(
  failures: number,
  random: number,
  retryAfterMs = 0,
  capMs = POST_BACKOFF_CAP_MS,
): number {
  const ceiling = Math.min(capMs, POST_BACKOFF_BASE_MS * 2 ** Math.min(failures - 1, 30));
  return Math.max(retryAfterMs, random * ceiling);
}

/**
 * Highest ceiling between two tries of a post. Results that wait past their lease are computed once more by somebody else: after a few
 * failures in a row a single wait of up to 30 s was longer than the whole lease of an `api-key` server.
 */
export function postBackoffCapMs(leaseMs: number): number {
  return Math.min(POST_BACKOFF_CAP_MS, Math.max(POST_BACKOFF_BASE_MS, leaseMs * LEASE_SHARE));
}

/**
 * While the credential is refused: 1, 2, 4 … 60 s. No jitter: nothing else waits for the same moment.
 * @param leaseMs - of the results that wait: a new key is noticed within a quarter of it, or all of them are computed once more by others.
 * Default: nothing waits.
 */
export function holdBackoffMs(failures: number, leaseMs = Number.POSITIVE_INFINITY): number {
  const capMs = Math.min(HOLD_CAP_MS, Math.max(1_000, leaseMs * LEASE_SHARE));
  return Math.min(capMs, 1_000 * 2 ** Math.min(failures - 1, 30));
}
