/** First wait after an empty answer; doubles. */
const BASE_MS = 1_000;
/** Highest wait, unless half a lease is shorter: redelivered tasks are then picked up within half a lease. */
const CAP_MS = 30_000;

/**
 * How long to leave a job alone that answered with no tasks. Empty means nothing in particular (trap T21): the job is neither finished
 * nor broken, and gets asked again, less and less often.
 * @param empties - empty answers in a row, 1 for the first.
 * @param random - in [0, 1), for ±25 %: workers that found the queue empty together shall not come back together.
 */
export function emptyBackoffMs(
  empties: number,
  leaseMs: number,
  random: number,
  pollIntervalMs = BASE_MS,
): number {
  const base = Math.min(BASE_MS, pollIntervalMs);
  const ceiling = Math.max(base, Math.min(CAP_MS, leaseMs / 2));
  return Math.min(ceiling, base * 2 ** Math.min(empties - 1, 30)) * (0.75 + random * 0.5);
}
