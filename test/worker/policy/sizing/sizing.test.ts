import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Estimator } from '../../../../src/worker/policy/sizing/estimator.js';
import {
  askThreshold,
  holdTarget,
  usableLeaseMs,
  type SizingInputs,
  LeaseFeedback,
} from '../../../../src/worker/policy/sizing/hold-target.js';
import { Occupancy, SampleWindow } from '../../../../src/worker/policy/sizing/sample-window.js';

const BASE: SizingInputs = {
  leaseMs: 30_000,
  taskMeanMs: 600,
  taskSdMs: 100,
  callMeanMs: 600,
  callSdMs: 100,
  downloadP95Ms: 1_000,
  reserveP95Ms: 100,
  postP95Ms: 600,
  calls: 10,
  batchSize: 1,
  lanes: 1,
  imageP95Bytes: 1_000_000,
  budgetBytes: 256 * 1024 * 1024,
  maxHeld: 256,
  leaseScale: 1,
};

const inputs = fc.record({
  ...Object.fromEntries(Object.entries(BASE).map(([name, value]) => [name, fc.constant(value)])),
  leaseMs: fc.integer({ min: 10_000, max: 600_000 }),
  taskMeanMs: fc.double({ min: 0.1, max: 60_000, noNaN: true }),
  taskSdMs: fc.double({ min: 0, max: 20_000, noNaN: true }),
  downloadP95Ms: fc.double({ min: 0, max: 10_000, noNaN: true }),
  reserveP95Ms: fc.double({ min: 0, max: 2_000, noNaN: true }),
  postP95Ms: fc.double({ min: 0, max: 2_000, noNaN: true }),
  batchSize: fc.integer({ min: 1, max: 32 }),
  lanes: fc.integer({ min: 1, max: 16 }),
  imageP95Bytes: fc.integer({ min: 1_000, max: 50_000_000 }),
}) as fc.Arbitrary<SizingInputs>;

describe('holdTarget', () => {
  it('holds at least one task, and never more than any of its bounds', () => {
    fc.assert(
      fc.property(inputs, (given) => {
        const { target, leaseCap, need, bytesCap } = holdTarget(given);
        expect(target).toBeGreaterThanOrEqual(1);
        expect(target).toBeLessThanOrEqual(Math.max(1, Math.min(leaseCap, need, bytesCap, given.maxHeld)));
        expect(Number.isInteger(target)).toBe(true);
      }),
    );
  });

  it('grows with the lease and shrinks with the time per task', () => {
    fc.assert(
      fc.property(inputs, fc.double({ min: 1, max: 5, noNaN: true }), (given, factor) => {
        const longer = holdTarget({ ...given, leaseMs: given.leaseMs * factor });
        expect(longer.leaseCap).toBeGreaterThanOrEqual(holdTarget(given).leaseCap);
        const slower = holdTarget({ ...given, taskMeanMs: given.taskMeanMs * factor });
        expect(slower.leaseCap).toBeLessThanOrEqual(holdTarget(given).leaseCap);
        expect(slower.need).toBeLessThanOrEqual(holdTarget(given).need);
      }),
    );
  });

  it('lets all that is held end within the usable part of the lease, 99 times of 100', () => {
    fc.assert(
      fc.property(inputs, (given) => {
        const { leaseCap: n, budgetMs } = holdTarget(given);
        if (n === 1 || (given.batchSize === 1 && n <= given.lanes)) return;
        const neededMs = n * given.taskMeanMs + 2.33 * given.taskSdMs * Math.sqrt(n) + given.downloadP95Ms;
        expect(neededMs).toBeLessThanOrEqual(budgetMs * 1.000001);
      }),
    );
  });

  it('starts with 1, 2, 4 until three calls are measured', () => {
    const targets = [0, 1, 2, 3].map((calls) => holdTarget({ ...BASE, calls }).target);
    expect(targets).toEqual([1, 2, 4, holdTarget(BASE).target]);
    expect(holdTarget({ ...BASE, calls: 1 }).bound).toBe('cold-start');
  });

  it('leaves a quarter of the lease and the server’s saving out of its plan', () => {
    expect(usableLeaseMs(30_000, 0, 0)).toBe(17_500);
    expect(usableLeaseMs(300_000, 0, 0)).toBe(195_000);
  });

  it('names the bound at work', () => {
    expect(holdTarget({ ...BASE, taskMeanMs: 7_000 }).bound).toBe('lease');
    expect(holdTarget(BASE).bound).toBe('need');
    expect(holdTarget({ ...BASE, imageP95Bytes: 200_000_000 }).bound).toBe('bytes');
    expect(holdTarget({ ...BASE, maxHeld: 2 }).bound).toBe('max-held');
    expect(holdTarget({ ...BASE, callMeanMs: 40_000, taskMeanMs: 40_000 }).leaseTooShort).toBe(true);
  });

  it('cuts a model batch so that one call does not outlive the lease', () => {
    expect(holdTarget({ ...BASE, batchSize: 64, taskMeanMs: 2_000 }).modelBatch).toBeLessThanOrEqual(8);
  });

  it('asks for at least half a round at once', () => {
    expect(askThreshold(holdTarget(BASE), 8)).toBe(Math.floor(Math.min(8, holdTarget(BASE).target) / 2));
    expect(askThreshold(holdTarget({ ...BASE, maxHeld: 1 }), 8)).toBe(1);
  });
});

describe('Occupancy', () => {
  it('charges calls that run side by side with their share, so that the charges add up to the busy time', () => {
    const calls = fc.array(fc.tuple(fc.nat(1_000), fc.integer({ min: 1, max: 500 })), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(calls, (given) => {
        const moments = given.flatMap(([at, length], id) => [
          { at, id, kind: 'begin' as const },
          { at: at + length, id, kind: 'end' as const },
        ]);
        moments.sort((a, b) => a.at - b.at);
        const occupancy = new Occupancy();
        const ends = new Map<number, (at: number) => number>();
        let charged = 0;
        let busy = 0;
        let last = 0;
        for (const { at, id, kind } of moments) {
          if (occupancy.running > 0) busy += at - last;
          last = at;
          if (kind === 'begin') ends.set(id, occupancy.begin(at));
          else charged += ends.get(id)?.(at) ?? 0;
        }
        expect(charged).toBeCloseTo(busy, 6);
        expect(occupancy.running).toBe(0);
      }),
    );
  });
});

describe('SampleWindow', () => {
  it('knows a quantile by value, not by time of arrival', () => {
    const window = new SampleWindow();
    for (let index = 0; index < 50; index++) window.add(200, 0);
    for (let index = 0; index < 10; index++) window.add(15, 1);
    expect(window.quantile(0.99, 1)).toBe(200);
  });

  it('forgets what is older than 15 minutes, and more than 64 samples', () => {
    const window = new SampleWindow();
    for (let index = 0; index < 100; index++) window.add(index, index);
    expect(window.moments(100).count).toBe(64);
    expect(window.moments(16 * 60_000).count).toBe(0);
    expect(window.quantile(0.5, 16 * 60_000)).toBeUndefined();
  });

  it('answers as the sorted list of its samples would, whatever came in whatever order', () => {
    const sample = fc.record({
      value: fc.integer({ min: 0, max: 20 }),
      afterMs: fc.integer({ max: 60_000, min: 0 }),
    });
    fc.assert(
      fc.property(
        fc.array(sample, { maxLength: 300, size: 'max' }),
        fc.constantFrom(0.01, 0.5, 0.95, 1),
        (samples, share) => {
          const window = new SampleWindow();
          let nowMs = 0;
          let kept: { readonly value: number; readonly atMs: number }[] = [];
          for (const { value, afterMs } of samples) {
            nowMs += afterMs;
            window.add(value, nowMs);
            kept = [...kept, { value, atMs: nowMs }]
              .slice(-64)
              .filter(({ atMs }) => nowMs - atMs <= 15 * 60_000);
            const sorted = kept.map((one) => one.value).sort((a, b) => a - b);
            expect(window.quantile(share, nowMs)).toBe(sorted[Math.ceil(share * sorted.length) - 1]);
            expect(window.moments(nowMs).count).toBe(sorted.length);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('LeaseFeedback', () => {
  it('halves once per round, and recovers only while the lease is what limits', () => {
    const feedback = new LeaseFeedback();
    feedback.late(10, 100);
    feedback.late(20, 101);
    feedback.late(99, 102);
    expect(feedback.scale).toBe(0.5);
    feedback.late(150, 200);
    expect(feedback.scale).toBe(0.25);
    feedback.punctual(false, 0.5);
    expect(feedback.scale).toBe(0.25);
    feedback.punctual(true, 0.5);
    feedback.punctual(true, 0.5);
    expect(feedback.scale).toBe(1);
  });
});

describe('explain', () => {
  it('says in words which bound is at work and what to do about it', () => {
    const estimator = new Estimator();
    const limits = { leaseMs: 30_000, lanes: 1, budgetBytes: 1e9, maxHeld: 100 };
    expect(estimator.explain('moths', 1, limits, 0)).toMatch(/nothing measured yet.*only 1 at a time/);
    for (let call = 0; call < 5; call++)
      estimator.call('moths', { durationMs: 16_000, chargeMs: 16_000, tasks: 1 }, call);
    expect(estimator.explain('moths', 1, limits, 5)).toMatch(/lease is the limit.*set leaseMs/);
  });
});
