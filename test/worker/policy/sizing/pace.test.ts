import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JobPace } from '../../../../src/worker/policy/sizing/job-pace.js';
import {
  ASSUMED_PER_SECOND,
  assumedLimit,
  keepsUp,
  savingLimit,
  savingRate,
  savingRoom,
  turnMs,
  turnSize,
} from '../../../../src/worker/policy/sizing/pace.js';
import { RepeatWindow } from '../../../../src/worker/policy/sizing/repeat-window.js';

const LEASE_MS = 30_000;
const BATCH = 8;
const rates = fc.double({ min: 0.01, max: 10_000, noNaN: true });
const leases = fc.integer({ min: 1_000, max: 3_600_000 });
const counts = fc.double({ min: 0, max: 1e6, noNaN: true });

describe('how much may be outstanding', () => {
  it('is what the server saves in half a lease, and a quarter of a lease more than the workers need themselves', () => {
    expect(savingLimit(6, LEASE_MS, 0)).toBe(90);
    expect(savingLimit(6, LEASE_MS, 5_000)).toBe(90);
    expect(savingLimit(6, LEASE_MS, 12_500)).toBe(120);
  });

  it('grows with the rate and with the lease', () => {
    fc.assert(
      fc.property(rates, leases, fc.double({ min: 1, max: 10, noNaN: true }), (rate, lease, factor) => {
        const limit = savingLimit(rate, lease, 100);
        expect(savingLimit(rate * factor, lease, 100)).toBeGreaterThanOrEqual(limit);
        expect(savingLimit(rate, lease * factor, 100)).toBeGreaterThanOrEqual(limit);
      }),
    );
  });

  it('is small until something is measured, however long the lease', () => {
    expect(assumedLimit(ASSUMED_PER_SECOND, LEASE_MS)).toBe(60);
    expect(assumedLimit(ASSUMED_PER_SECOND, 300_000)).toBe(60);
    expect(assumedLimit(ASSUMED_PER_SECOND, 2_000)).toBe(4);
  });
});

describe('how much one worker takes', () => {
  it('is a quarter of what is missing at most, nothing above the limit, and never less than one where it is worth it', () => {
    fc.assert(
      fc.property(counts, counts, (limit, outstanding) => {
        const room = savingRoom(limit, outstanding);
        const missing = limit - outstanding;
        if (missing <= 0) expect(room).toBe(0);
        else expect(room).toBeLessThanOrEqual(Math.max(1, missing / 4));
        if (missing > 0 && outstanding <= 0.7 * limit) expect(room).toBeGreaterThanOrEqual(1);
        expect(Number.isInteger(room)).toBe(true);
      }),
    );
  });

  it('is what is saved meanwhile, twice over at most: a worker waits in proportion to what it took', () => {
    fc.assert(
      fc.property(rates, leases, (rate, lease) => {
        const size = turnSize(rate, lease, BATCH);
        expect(size).toBeGreaterThanOrEqual(BATCH);
        expect((1000 * size) / turnMs(size, rate)).toBeCloseTo(2 * rate, 5);
      }),
    );
  });
});

describe('the rate of saving', () => {
  const steady = (perSecond: number, everyMs: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      atMs: index * everyMs,
      saved: Math.round((index * everyMs * perSecond) / 1000),
    }));

  it('is not known from one look', () => {
    expect(savingRate([], LEASE_MS, 4)).toBeUndefined();
    expect(savingRate([{ atMs: 0, saved: 10 }], LEASE_MS, 4)).toBeUndefined();
  });

  it('is measured over the last third of a lease, so that a change is seen within it', () => {
    expect(savingRate(steady(6, 3_000, 20), LEASE_MS, 4)).toBeCloseTo(6, 0);
    const faster = steady(6, 3_000, 20).concat(
      [1, 2, 3, 4].map((index) => ({ atMs: 57_000 + index * 3_000, saved: 342 + index * 72 })),
    );
    expect(savingRate(faster, LEASE_MS, 4)).toBeGreaterThan(22);
  });

  it('believes two results in a tenth of a second no more than it should', () => {
    const early = [
      { atMs: 0, saved: 0 },
      { atMs: 100, saved: 2 },
    ];
    expect(savingRate(early, LEASE_MS, 4)).toBeLessThan(8);
  });

  it('is never negative, infinite or not a number, whatever the looks say', () => {
    const looks = fc.array(fc.record({ atMs: fc.nat(100_000), saved: fc.nat(10_000) }), { minLength: 2 });
    fc.assert(
      fc.property(looks, leases, (samples, lease) => {
        const sorted = [...samples].sort((a, b) => a.atMs - b.atMs);
        const rate = savingRate(sorted, lease, 4);
        expect(rate).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(rate)).toBe(true);
      }),
    );
  });
});

describe('whether a server keeps up', () => {
  it('goes by what the workers hold themselves', () => {
    // Ten seconds in the hands of slow workers are no backlog; the same with quick ones are.
    const look = { outstanding: 100, perSecond: 10, held: 20, grown: 50 };
    expect(keepsUp({ ...look, holdMs: 10_000 })).toBe(true);
    expect(keepsUp({ ...look, holdMs: 200 })).toBe(false);
  });
});

describe('the window on repeats, where there are no numbers', () => {
  it('holds nothing back until a task comes again, then halves once per half lease and grows by a batch', () => {
    const window = new RepeatWindow(() => LEASE_MS);
    window.taken(200, BATCH, 0);
    expect(window.room(BATCH, 0)).toBe(Number.POSITIVE_INFINITY);
    window.repeat(BATCH, 10_000);
    window.repeat(BATCH, 10_001);
    expect(window.cap).toBe(100);
    expect(window.room(BATCH, 10_001)).toBe(0);
    expect(window.room(BATCH, 15_000)).toBe(100);
    expect(window.room(BATCH, 30_000)).toBe(108);
    expect(window.wasClean(69_000)).toBe(false);
    expect(window.wasClean(71_000)).toBe(true);
  });

  it('always lets something through within half a lease', () => {
    const steps = fc.array(fc.record({ waitMs: fc.nat(20_000), repeats: fc.nat(3), taken: fc.nat(50) }));
    fc.assert(
      fc.property(steps, (events) => {
        const window = new RepeatWindow(() => LEASE_MS);
        let nowMs = 0;
        for (const { waitMs, repeats, taken } of events) {
          nowMs += waitMs;
          for (let index = 0; index < repeats; index++) window.repeat(BATCH, nowMs);
          window.taken(Math.min(taken, window.room(BATCH, nowMs)), BATCH, nowMs);
        }
        expect(window.room(BATCH, nowMs + LEASE_MS / 2)).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});

/** A job's pace, after its first tasks were taken by us at 0. */
function begun(total = 2_000, count = BATCH): JobPace {
  const pace = new JobPace(() => LEASE_MS);
  pace.taken(count, { streamSequence: count, undelivered: total - count }, BATCH, 0);
  return pace;
}

describe('the pace of a job', () => {
  it('is not held back by anything before the first answer, except to a few tasks or a batch', () => {
    expect(new JobPace(() => LEASE_MS).room(1, 0)).toBe(16);
    expect(new JobPace(() => LEASE_MS).room(24, 0)).toBe(24);
  });

  it('asks nothing about a job that is small beside what any server saves within a lease', () => {
    const pace = begun(25, 1);
    for (let taken = 2; taken <= 25; taken++) {
      pace.taken(1, { streamSequence: taken, undelivered: 25 - taken }, BATCH, taken * 100);
      pace.accepted(1, 100);
      expect(pace.room(BATCH, taken * 100)).toBeGreaterThan(0);
      expect(pace.lookDueAtMs(taken * 100)).toBeUndefined();
    }
  });

  it('asks about a large one once half of what is assumed is out and something of ours was accepted', () => {
    const pace = begun(2_000, 40);
    expect(pace.lookDueAtMs(10)).toBeUndefined();
    pace.accepted(10, 50);
    expect(pace.lookDueAtMs(10)).toBe(Number.NEGATIVE_INFINITY);
  });

  it('asks a server that saves at once less and less often, and holds nothing back', () => {
    const pace = begun();
    const waits: number[] = [];
    let nowMs = 0;
    let delivered = BATCH;
    for (let looks = 0; looks < 8;) {
      nowMs += 50;
      delivered += 15;
      const room = pace.room(BATCH, nowMs);
      if (looks > 1) expect(room).toBeGreaterThan(15);
      pace.taken(15, { streamSequence: delivered, undelivered: 1_000_000 - delivered }, BATCH, nowMs);
      pace.accepted(15, 50);
      if ((pace.lookDueAtMs(nowMs) ?? Number.POSITIVE_INFINITY) > nowMs) continue;
      looks += 1;
      waits.push(nowMs);
      pace.looked({ total: 1_000_000, saved: delivered - 10 }, 10, nowMs);
    }
    expect(waits[0]).toBeLessThan(1_000);
    expect((waits.at(-1) ?? 0) - (waits.at(-2) ?? 0)).toBeGreaterThan(2 * LEASE_MS);
  });

  it('asks again within a tenth of a second while two looks have not made a rate: who came second to a job', () => {
    const pace = new JobPace(() => LEASE_MS);
    pace.taken(16, { streamSequence: 96, undelivered: 1_904 }, BATCH, 0);
    pace.accepted(16, 50);
    pace.looked({ total: 2_000, saved: 40 }, 0, 60);
    expect(pace.room(BATCH, 60)).toBeLessThan(16);
    pace.accepted(8, 50);
    expect(pace.lookDueAtMs(60)).toBe(160);
    pace.looked({ total: 2_000, saved: 96 }, 0, 160);
    expect(pace.room(BATCH, 160)).toBeGreaterThan(16);
    pace.accepted(8, 50);
    expect(pace.lookDueAtMs(160)).toBeGreaterThanOrEqual(160 + 250);
  });

  it('asks at once again when tasks come a second time', () => {
    const pace = begun(2_000, 40);
    pace.accepted(40, 50);
    pace.looked({ total: 2_000, saved: 40 }, 0, 1_000);
    pace.repeat(BATCH, 2_000, true, undefined);
    expect(pace.lookDueAtMs(2_000)).toBe(4_000);
  });

  it('stops asking when nothing is left to be delivered', () => {
    const pace = begun(40, 40);
    pace.accepted(40, 50);
    pace.looked({ total: 40, saved: 3 }, 0, 1_000);
    pace.accepted(1, 50);
    expect(pace.lookDueAtMs(2_000)).toBeUndefined();
  });

  it('goes by repeats where the server shows no numbers', () => {
    const pace = new JobPace(() => LEASE_MS);
    pace.taken(100, undefined, BATCH, 0);
    expect(pace.room(BATCH, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(pace.lookDueAtMs(1)).toBeUndefined();
    pace.repeat(BATCH, 10_000, true, undefined);
    expect(pace.room(BATCH, 10_000)).toBe(0);
    expect(pace.room(BATCH, 16_000)).toBe(50);
  });

  it('goes by repeats where looks give nothing three times', () => {
    const pace = begun(2_000, 60);
    pace.accepted(10, 50);
    for (let look = 0; look < 3; look++) pace.looked(undefined, 0, look * 1_000);
    expect(pace.figures(3_000)).toBeUndefined();
    expect(pace.room(BATCH, 3_000)).toBe(Number.POSITIVE_INFINITY);
    // They may come back.
    pace.accepted(10, 50);
    expect(pace.lookDueAtMs(3_000)).toBe(2_000 + LEASE_MS);
    pace.looked({ total: 2_000, saved: 10 }, 0, 32_000);
    expect(pace.figures(32_000)?.limit).toBeGreaterThan(0);
  });

  it('lets one batch through in every half lease, and at least one task where tasks come again, whatever it is told', () => {
    const step = fc.record({
      waitMs: fc.nat(10_000),
      what: fc.constantFrom('taken', 'blind', 'looked', 'repeat', 'accepted'),
      sequence: fc.nat(1_000_000),
      undelivered: fc.nat(1_000_000),
      total: fc.nat(1_000_000),
      saved: fc.nat(1_000_000),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const pace = new JobPace(() => LEASE_MS);
        let nowMs = 0;
        let repeatAtMs = Number.NEGATIVE_INFINITY;
        for (const { waitMs, what, sequence, undelivered, total, saved } of steps) {
          nowMs += waitMs;
          if (what === 'taken') pace.taken(5, { streamSequence: sequence, undelivered }, BATCH, nowMs);
          else if (what === 'blind') pace.taken(5, undefined, BATCH, nowMs);
          else if (what === 'looked') pace.looked({ total, saved }, 3, nowMs);
          else if (what === 'accepted') pace.accepted(3, saved);
          else {
            repeatAtMs = nowMs;
            pace.repeat(BATCH, nowMs, true, undefined);
          }
          expect(pace.room(BATCH, nowMs)).toBeGreaterThanOrEqual(0);
        }
        nowMs += LEASE_MS / 2;
        const floor = nowMs - repeatAtMs < 2 * LEASE_MS ? 1 : BATCH;
        expect(pace.room(BATCH, nowMs)).toBeGreaterThanOrEqual(floor);
        expect(Number.isNaN(pace.lookDueAtMs(nowMs) ?? 0)).toBe(false);
      }),
    );
  });

  it('starts over with a job that was started over', () => {
    const pace = begun(2_000, 40);
    pace.accepted(40, 50);
    pace.looked({ total: 2_000, saved: 30 }, 0, 1_000);
    pace.looked({ total: 2_000, saved: 2 }, 0, 5_000);
    expect(pace.saved).toBe(2);
    expect(pace.figures(5_000)?.perSecond).toBeUndefined();
  });

  it('explains a repeat by the backlog until all are saved that stood before it', () => {
    const pace = begun(2_000, 60);
    pace.accepted(60, 50);
    const mark = pace.delivered;
    expect(mark).toBe(60);
    expect(pace.explains(mark, 1_000)).toBe(false);
    pace.looked({ total: 2_000, saved: 6 }, 0, 1_000);
    expect(pace.explains(mark, 1_000)).toBe(true);
    pace.taken(30, { streamSequence: 90, undelivered: 1_910 }, BATCH, 2_000);
    pace.looked({ total: 2_000, saved: 59 }, 0, 9_900);
    expect(pace.explains(mark, 9_900)).toBe(true);
    pace.looked({ total: 2_000, saved: 61 }, 0, 10_200);
    expect(pace.explains(mark, 10_200)).toBe(false);
    expect(pace.explains(undefined, 10_200)).toBe(false);
  });

  it('tells the next job what to assume: what was measured, if saving was the limit', () => {
    const slow = begun(2_000, 60);
    slow.accepted(60, 50);
    slow.looked({ total: 2_000, saved: 0 }, 0, 1_000);
    slow.looked({ total: 2_000, saved: 10 }, 0, 11_000);
    expect(slow.assumable).toBeCloseTo(1, 0);
    expect(new JobPace(() => LEASE_MS).assumable).toBeUndefined();
  });
});
