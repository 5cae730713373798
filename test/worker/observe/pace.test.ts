import fc from 'fast-check';
import { Pace } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';

describe('the pace of a counter', () => {
  it('is not told before two moments are known', () => {
    const pace = new Pace();
    expect(pace.read(10)).toEqual({ perSecond: undefined, leftMs: undefined });
    pace.add(3, 0);
    expect(pace.read(10)).toEqual({ perSecond: undefined, leftMs: undefined });
  });

  it('says how long the rest takes', () => {
    const pace = new Pace();
    pace.add(0, 0);
    pace.add(20, 10_000);
    expect(pace.read(40)).toEqual({ perSecond: 2, leftMs: 20_000 });
    expect(pace.read(0).leftMs).toBe(0);
    expect(pace.read(undefined).leftMs).toBeUndefined();
  });

  it('follows what happens now, not what was before its window', () => {
    const pace = new Pace(60_000);
    for (let second = 0; second <= 600; second += 10) pace.add(second * 10, second * 1_000);
    for (let second = 610; second <= 700; second += 10) pace.add(6_000 + second - 600, second * 1_000);
    expect(pace.read(undefined).perSecond).toBeCloseTo(1, 1);
  });

  it('begins anew when the counter fell, as after a retry of the job', () => {
    const pace = new Pace();
    pace.add(90, 0);
    pace.add(100, 10_000);
    pace.add(0, 11_000);
    expect(pace.read(5).perSecond).toBeUndefined();
    pace.add(10, 21_000);
    expect(pace.read(10).perSecond).toBe(1);
  });

  it('is never negative and never promises an end while nothing moves', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1_000), fc.integer({ min: 1, max: 100_000 }))), (steps) => {
        const pace = new Pace();
        let atMs = 0;
        for (const [done, stepMs] of steps) pace.add(done, (atMs += stepMs));
        const { perSecond, leftMs } = pace.read(7);
        expect(perSecond ?? 0).toBeGreaterThanOrEqual(0);
        if (perSecond === 0) expect(leftMs).toBeUndefined();
      }),
    );
  });
});
