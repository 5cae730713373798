import { sleep, type Clock } from './clock.js';

/**
 * Waits for something, but not longer than so many milliseconds. What is waited for goes on.
 * @returns whether it ended in time. Never throws for the time; rethrows what the work throws in time.
 */
export async function within(clock: Clock, timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const limit = sleep(clock, timeoutMs, timer.signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([work.then(() => true), limit]);
  } finally {
    timer.abort();
  }
}
