/** What the server needs of a clock; the SDK's own clock fits, and so does any test's. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since the Unix epoch. */
  wallNow(): number;
  /** Calls `run` once, `delayMs` from now; returns a function that cancels it. */
  schedule(delayMs: number, run: () => void): () => void;
}

/** The machine's clock. Its timers do not keep a finished test process alive. */
export const machineClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  schedule(delayMs, run) {
    const timer = setTimeout(run, Math.max(0, delayMs));
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Waits on `clock`. */
export function wait(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(delayMs, resolve);
  });
}
