import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MachineOverview } from 'antenna-sdk';
import { stopAfterMs, watchLimits } from '../../src/cli/run/limits.js';
import type { Settings } from '../../src/cli/settings.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const MINUTE = 60_000;

/** Watches a run; `reserved` and `held` are what its worker does. */
function watched(settings: Settings) {
  const worker = { counters: { reserved: 0 }, held: { count: 0 } };
  const stops: { readonly atMs: number; readonly limit: string }[] = [];
  const end = watchLimits({
    settings,
    overview: () => ({ workers: [worker] }) as unknown as MachineOverview,
    stop: (_reason, limit) => stops.push({ atMs: Math.round(performance.now()), limit }),
  });
  return { worker, stops, end };
}

describe('--max-time', () => {
  it('leaves the grace before the limit, counted from the start of the process', () => {
    const { stops } = watched({ maxTime: 715 * MINUTE, grace: 40_000 });
    vi.advanceTimersByTime(715 * MINUTE - 40_001);
    expect(stops).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(stops).toMatchObject([{ atMs: 715 * MINUTE - 40_000, limit: 'time' }]);
  });

  it('is 25 s of grace unless told otherwise, and at once when there is less than that', () => {
    const { stops } = watched({ maxTime: MINUTE });
    vi.advanceTimersByTime(35_000);
    expect(stops).toMatchObject([{ atMs: 35_000 }]);
    expect(stopAfterMs(10_000, 25_000)).toBe(0);
  });

  it('does not fire at once when it is longer than a timer can be', () => {
    const { stops } = watched({ maxTime: 60 * 24 * 60 * MINUTE });
    vi.advanceTimersByTime(MINUTE);
    expect(stops).toEqual([]);
  });

  it('is over when the run is', () => {
    const { stops, end } = watched({ maxTime: MINUTE });
    end();
    vi.advanceTimersByTime(2 * MINUTE);
    expect(stops).toEqual([]);
  });
});

describe('--exit-when-idle', () => {
  it('counts from the last task, and a task in hand is no idleness', () => {
    const { worker, stops } = watched({ exitWhenIdle: 10 * MINUTE });
    vi.advanceTimersByTime(9 * MINUTE);
    worker.counters.reserved = 1;
    worker.held.count = 1;
    vi.advanceTimersByTime(30 * MINUTE);
    expect(stops).toEqual([]);
    worker.held.count = 0;
    vi.advanceTimersByTime(9 * MINUTE);
    expect(stops).toEqual([]);
    vi.advanceTimersByTime(2 * MINUTE);
    expect(stops[0]).toMatchObject({ limit: 'idle' });
  });
});
