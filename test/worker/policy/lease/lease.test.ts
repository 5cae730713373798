import { createTestClock } from 'antenna-sdk/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideStart,
  leaseState,
  type StartFacts,
  LeaseClock,
  LeaseLength,
} from '../../../../src/worker/policy/lease/lease.js';

describe('LeaseClock', () => {
  it('never makes a lease younger than it is: asleep, or with a clock that was set back', async () => {
    const clock = createTestClock();
    const leases = new LeaseClock(clock);
    const since = leases.instant();
    await clock.advance(10_000);
    clock.step(120_000);
    expect(leases.elapsedMs(since)).toBe(130_000);
    clock.step(-3_600_000);
    expect(leases.elapsedMs(since)).toBe(10_000);
    expect(leases.monotonicElapsedMs(since)).toBe(10_000);
  });

  it('reports a jump once, with its direction, and no drift', async () => {
    const clock = createTestClock();
    const leases = new LeaseClock(clock);
    clock.step(900);
    expect(leases.takeJump()).toBeUndefined();
    clock.step(5_000);
    expect(leases.takeJump()).toBe(5_000);
    expect(leases.takeJump()).toBeUndefined();
    clock.step(-5_000);
    await clock.advance(100);
    expect(leases.takeJump()).toBe(-5_000);
  });
});

describe('LeaseLength', () => {
  it('learns downward only', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 600_000 })), (observed) => {
        const length = new LeaseLength(300_000);
        for (const sinceMs of observed) {
          const before = length.ms;
          length.observeRedelivery(sinceMs, 2);
          expect(length.ms).toBeLessThanOrEqual(before);
        }
      }),
    );
    const length = new LeaseLength(300_000);
    expect(length.observeRedelivery(30_000, undefined)).toBe(true);
    expect(length.ms).toBe(28_500);
  });

  it('learns nothing from a task that was published twice', () => {
    const length = new LeaseLength(300_000);
    expect(length.observeRedelivery(30_000, 1)).toBe(false);
    expect(length.observeRedelivery(20, 2)).toBe(false);
    expect(length.ms).toBe(300_000);
  });
});

describe('decideStart', () => {
  const base: StartFacts = {
    lease: 'expired',
    delivery: 1,
    maxDeliveries: 2,
    ageMs: 31_000,
    leaseMs: 30_000,
    freshWaiting: false,
  };

  it.each<[string, Partial<StartFacts>, string]>([
    ['fresh', { lease: 'fresh' }, 'run'],
    ['expired, with another delivery to come', {}, 'drop'],
    ['expired on the last delivery: nobody else will get it', { delivery: 2 }, 'run'],
    ['expired, delivery unknown, something fresh waits', { delivery: undefined, freshWaiting: true }, 'wait'],
    ['expired, delivery unknown, nothing else to do', { delivery: undefined }, 'run'],
    ['long expired, delivery unknown', { delivery: undefined, ageMs: 61_000 }, 'drop'],
    ['doubtful after a clock jump, something fresh waits', { lease: 'doubtful', freshWaiting: true }, 'wait'],
    ['doubtful after a clock jump, nothing else to do', { lease: 'doubtful' }, 'run'],
    ['doubtful and far beyond', { lease: 'doubtful', ageMs: 120_000 }, 'drop'],
  ])('a task that is %s: %j → %s', (_what, changes, expected) => {
    expect(decideStart({ ...base, ...changes })).toBe(expected);
  });

  it('tells a lease that ran out from one that only the wall clock says ran out', () => {
    expect(leaseState({ elapsedMs: 29_000, monotonicMs: 29_000 }, 30_000)).toBe('fresh');
    expect(leaseState({ elapsedMs: 31_000, monotonicMs: 31_000 }, 30_000)).toBe('expired');
    expect(leaseState({ elapsedMs: 130_000, monotonicMs: 10_000 }, 30_000)).toBe('doubtful');
  });
});
