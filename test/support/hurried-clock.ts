import type { Clock } from 'antenna-sdk';

/** Waits of at least this long are timeouts: in a hurry they never come. */
const TIMEOUT_MS = 20_000;

/** A clock on which every backoff passes at once, and moves the time; timeouts stay away. */
export function hurriedClock(): Clock {
  let nowMs = 0;
  return {
    now: () => nowMs,
    wallNow: () => nowMs,
    schedule(delayMs, run) {
      if (delayMs >= TIMEOUT_MS) return () => undefined;
      const dueAt = nowMs + delayMs;
      const handle = setImmediate(() => {
        nowMs = Math.max(nowMs, dueAt);
        run();
      });
      return () => {
        clearImmediate(handle);
      };
    },
  };
}
