import type { Clock } from './clock.js';

/** A clock that stands still until a test moves it. One may drive the contract server and the code under test at once. */
export interface TestClock extends Clock {
  /** Marks the clock as one that does not move by itself. */
  readonly virtual: true;
  /**
   * Moves the clock forward, stopping at every call that falls due on the way, in order, and letting promises settle
   * after each, so that a chain of timers behaves as it would in real time.
   * @param ms - how far, in milliseconds.
   */
  advance(ms: number): Promise<void>;
  /** Moves the wall clock alone, as a time server or an administrator would; no timer fires. */
  step(ms: number): void;
  /** How many scheduled calls have not happened yet. */
  readonly pending: number;
}

interface Timer {
  readonly dueAt: number;
  readonly order: number;
  readonly run: () => void;
}

/** 2026-11-20T21:56:08.426Z: an instant with a fraction, so that timestamps look as a real server's do. */
const DEFAULT_START_MS = Date.UTC(2026, 10, 20, 21, 56, 8, 426);

/** Turns of the event loop given to promises after each timer: enough for a `fetch` through the server and its parsing. */
const SETTLE_TURNS = 3;

/**
 * Makes a {@link TestClock}.
 * @param startMs - wall time at the start, in milliseconds since the Unix epoch.
 */
export function createTestClock(startMs: number = DEFAULT_START_MS): TestClock {
  const timers = new Set<Timer>();
  let elapsedMs = 0;
  let wallOffsetMs = startMs;
  let order = 0;

  const next = (untilMs: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (timer.dueAt > untilMs) continue;
      if (!first || timer.dueAt < first.dueAt || (timer.dueAt === first.dueAt && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  };

  return {
    virtual: true,
    now: () => elapsedMs,
    wallNow: () => wallOffsetMs + elapsedMs,
    schedule(delayMs, run) {
      const timer = { dueAt: elapsedMs + Math.max(0, delayMs), order: order++, run };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    async advance(ms) {
      const untilMs = elapsedMs + ms;
      await settleTurns();
      for (let timer = next(untilMs); timer; timer = next(untilMs)) {
        timers.delete(timer);
        elapsedMs = Math.max(elapsedMs, timer.dueAt);
        timer.run();
        await settleTurns();
      }
      elapsedMs = Math.max(elapsedMs, untilMs);
    },
    step(ms) {
      wallOffsetMs += ms;
    },
    get pending() {
      return timers.size;
    },
  };
}

async function settleTurns(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
