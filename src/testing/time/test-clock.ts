import { partsLoading } from '../../time/late.js';
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
  /**
   * Moves on in small steps until a promise settles, about a hundred times faster than real time: runs code that sleeps on
   * this clock to its end, and leaves what takes real time, such as decoding an image, the time to happen.
   * @param limitMs - give up after this much time on the clock. Default ten minutes.
   * @returns what the promise gives.
   * @throws Error when the limit is reached first; otherwise what the promise rejects with.
   */
  runUntil<Value>(pending: Promise<Value>, limitMs?: number): Promise<Value>;
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

const LIMIT_MS = 600_000;

/**
 * A step of `runUntil` on the clock, and the real time given to each. Decoding an image or answering through a socket takes
 * real time, and must be done long before a lease or a timeout falls due on a clock that moves a hundred times faster.
 */
const STEP_MS = 100;
const REAL_STEP_MS = 1;

/** Turns of the event loop given to promises after each timer: enough for a `fetch` through the server and its parsing. */
const SETTLE_TURNS = 3;

/**
 * Makes a {@link TestClock}.
 * @param startMs - wall time at the start, in milliseconds since the Unix epoch.
 * @throws TypeError for what is no number; so do its methods.
 */
export function createTestClock(startMs: number = DEFAULT_START_MS): TestClock {
  assertFinite('startMs', startMs);
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

  const advance = async (ms: number): Promise<void> => {
    // A clock moved by NaN, or back, would never show a timer again.
    assertFinite('ms', ms, 0);
    const untilMs = elapsedMs + ms;
    await settleTurns();
    for (let timer = next(untilMs); timer; timer = next(untilMs)) {
      timers.delete(timer);
      elapsedMs = Math.max(elapsedMs, timer.dueAt);
      timer.run();
      await settleTurns();
    }
    elapsedMs = Math.max(elapsedMs, untilMs);
  };

  return {
    virtual: true,
    advance,
    async runUntil(pending, limitMs = LIMIT_MS) {
      assertPromise(pending);
      assertFinite('limitMs', limitMs, 0);
      return runUntil(pending, limitMs, advance);
    },
    now: () => elapsedMs,
    wallNow: () => wallOffsetMs + elapsedMs,
    schedule(delayMs, run) {
      const timer = { dueAt: elapsedMs + Math.max(0, delayMs), order: order++, run };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    step(ms) {
      assertFinite('ms', ms);
      wallOffsetMs += ms;
    },
    get pending() {
      return timers.size;
    },
  };
}

function assertFinite(name: string, value: unknown, least = Number.NEGATIVE_INFINITY): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= least) return;
  throw new TypeError(`${name} must be a number${Number.isFinite(least) ? ` from ${least}` : ''}.`);
}

function assertPromise(value: unknown): void {
  if (typeof value === 'object' && value !== null && 'then' in value) return;
  throw new TypeError('runUntil needs the promise to wait for.');
}

async function runUntil<Value>(
  pending: Promise<Value>,
  limitMs: number,
  advance: (ms: number) => Promise<void>,
): Promise<Value> {
  const state = { isSettled: false };
  const settle = (): void => {
    state.isSettled = true;
  };
  pending.then(settle, settle);
  for (let passedMs = 0; !state.isSettled; passedMs += STEP_MS) {
    if (passedMs > limitMs) throw new Error(`Not settled after ${limitMs} ms on the test clock.`);
    await advance(STEP_MS);
    await new Promise<void>((resolve) => {
      setTimeout(resolve, REAL_STEP_MS);
    });
  }
  return pending;
}

/** No time passes while a part of the package is loaded, and its caller gets its turns afterwards. */
async function settleTurns(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn = partsLoading() > 0 ? 0 : turn + 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
