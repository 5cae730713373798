/** Share of the lease that a batch may take: the rest is for the server, which acknowledges only after saving (WORKER §3.1). */
const USABLE_SHARE = 0.5;

/**
 * How many tasks to take at once: no more than can be processed and posted within half the lease, at the measured speed. A task
 * cannot be given back, so each one too many costs a delivery and a whole lease of waiting.
 *
 * @param meanTaskMs - measured time per task, download included; undefined before the first, when one round of the executors is
 * taken to learn it.
 */
export function batchSize(options: {
  readonly maxBatchSize: number;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly meanTaskMs: number | undefined;
}): number {
  const { maxBatchSize, concurrency, leaseMs, meanTaskMs } = options;
  if (meanTaskMs === undefined) return Math.min(maxBatchSize, concurrency);
  const fits = Math.floor((USABLE_SHARE * leaseMs * concurrency) / Math.max(meanTaskMs, 0.001));
  return Math.max(1, Math.min(maxBatchSize, fits));
}

/** Running mean that forgets: a slower model must show within a few tasks. */
export function updateMean(meanMs: number | undefined, sampleMs: number): number {
  if (meanMs === undefined) return sampleMs;
  const weight = sampleMs > meanMs ? 0.5 : 0.1;
  return meanMs + weight * (sampleMs - meanMs);
}
