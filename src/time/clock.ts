import { onAbort } from './on-abort.js';

/**
 * The only source of time in the SDK. Tests hand in one they can move; nothing else may call `Date.now` or `setTimeout`
 * for policy.
 */
export interface Clock {
  /** Monotonic milliseconds: for durations. It does not step, and stands still while the machine is suspended. */
  now(): number;
  /** Milliseconds since the Unix epoch: for comparing with dates that others sent. It may step. */
  wallNow(): number;
  /**
   * Calls `run` once, `delayMs` from now.
   * @returns a function that cancels the call, harmless after it has happened.
   */
  schedule(delayMs: number, run: () => void): () => void;
}

/** Longest delay that Node's timers take; a longer one fires at once, which would turn a long wait into a hot loop. */
const MAX_TIMER_MS = 2_147_483_647;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  schedule(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};

/**
 * Waits, and can be interrupted.
 * @throws the signal's reason as soon as it aborts; the timer and the listener are gone by then.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const cancel = clock.schedule(delayMs, () => {
      unlisten?.();
      resolve();
    });
    const unlisten =
      signal &&
      onAbort(signal, () => {
        cancel();
        reject(signal.reason as Error);
      });
  });
}
