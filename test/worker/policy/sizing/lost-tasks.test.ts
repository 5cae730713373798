import { describe, expect, it } from 'vitest';
import {
  haveOwnInLine,
  LostTasks,
  standsStill,
  type LookSample,
} from '../../../../src/worker/policy/sizing/lost-tasks.js';

const LEASE_MS = 40_000;

const looks = (
  ...samples: readonly (readonly [atMs: number, saved: number, accepted: number])[]
): LookSample[] => samples.map(([atMs, saved, accepted]) => ({ atMs, saved, accepted }));

const still = looks([0, 100, 0], [6_000, 100, 0], [12_000, 100, 0]);

describe('a line that does not move', () => {
  it('has nothing in it: a server that saved ten a second would have gone on', () => {
    expect(standsStill(still, LEASE_MS, 10)).toBe(true);
    expect(standsStill(looks([0, 100, 0], [9_000, 100, 0]), LEASE_MS, 10)).toBe(false);
    expect(standsStill([], LEASE_MS, 10)).toBe(false);
  });

  it('is not called so where saving has merely become slow', () => {
    expect(standsStill(looks([0, 100, 0], [12_000, 124, 0]), LEASE_MS, 10)).toBe(false);
  });

  it('is waited for longer where saving is slow anyway', () => {
    expect(standsStill(still, LEASE_MS, 0.3)).toBe(false);
    expect(standsStill(looks([0, 100, 0], [18_000, 100, 0]), LEASE_MS, 0.3)).toBe(true);
  });

  it('may grow by what this worker gave it, as soon as that is saved', () => {
    expect(standsStill(looks([0, 100, 0], [6_000, 108, 8], [12_000, 116, 16]), LEASE_MS, 10)).toBe(true);
    // Eight of ours wait: so does what stands before them.
    const waiting = looks([0, 100, 0], [6_000, 108, 16], [12_000, 108, 16]);
    expect(standsStill(waiting, LEASE_MS, 10)).toBe(false);
    expect(haveOwnInLine(waiting, LEASE_MS, 5_000)).toBe(true);
    expect(haveOwnInLine(waiting, LEASE_MS, 9_000)).toBe(false);
  });
});

describe('tasks that are out with nobody', () => {
  const heldBack = { savedBefore: 100, out: 80, isHeldBack: true, perSecond: 10 };

  it('are those that are out while the line stands still, until their leases are over', () => {
    const lost = new LostTasks(() => LEASE_MS);
    lost.looked(still, { ...heldBack, isHeldBack: false }, 12_000);
    expect(lost.count).toBe(0);
    lost.looked(still, heldBack, 12_000);
    expect(lost.count).toBe(80);
    lost.looked(looks([0, 100, 0], [13_000, 160, 0]), { ...heldBack, out: 50 }, 13_000);
    expect(lost.count).toBe(50);
    lost.looked(looks([0, 100, 0], [53_000, 500, 0]), heldBack, 53_000);
    expect(lost.count).toBe(0);
  });

  it('are none as soon as a result of ours comes again, or is seen to wait', () => {
    const lost = new LostTasks(() => LEASE_MS);
    lost.looked(still, heldBack, 12_000);
    lost.ownCameAgain();
    expect(lost.count).toBe(0);
    lost.looked(still, heldBack, 12_000);
    lost.looked(looks([0, 100, 0], [1_000, 100, 20], [14_000, 105, 20]), heldBack, 14_000);
    expect(lost.count).toBe(0);
  });

  it('are known by their place when they come again, and may be taken whatever is out', () => {
    const lost = new LostTasks(() => LEASE_MS);
    expect(lost.cameAgain(40, 100, 0)).toBe(true);
    expect(lost.cameAgain(100, 100, 0)).toBe(true);
    expect(lost.cameAgain(101, 100, 0)).toBe(false);
    expect(lost.cameAgain(undefined, 100, 0)).toBe(false);
    expect(lost.credit).toBe(2);
    lost.taken(5);
    expect(lost.credit).toBe(0);
  });

  it('are told apart by the first look where they came before it', () => {
    const lost = new LostTasks(() => LEASE_MS);
    expect(lost.cameAgain(40, undefined, 0)).toBe(false);
    expect(lost.cameAgain(140, undefined, 0)).toBe(false);
    lost.looked(looks([500, 100, 0]), { ...heldBack, isHeldBack: false }, 500);
    expect(lost.credit).toBe(1);
  });
});
