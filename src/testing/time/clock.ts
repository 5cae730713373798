import { systemClock } from '../../time/clock.js';
import type { Clock } from '../../time/clock.js';

export type { Clock };

/** The machine's clock: what a server runs on unless a test gives it another. */
export const machineClock = systemClock;

/** The machine's clock for work that must not keep a finished process alive, such as the reaper's schedule. */
export const idleClock: Clock = {
  ...systemClock,
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
