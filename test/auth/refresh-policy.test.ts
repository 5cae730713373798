import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideUse,
  FAILURE_CAP_MS,
  failurePauseMs,
  remainingMs,
  REPEAT_PAUSE_MS,
  repeatPauseMs,
  windowMs,
} from '../../src/auth/refresh-policy.js';

const random = fc.double({ min: 0, max: 0.999_999, noNaN: true });
const lifetime = fc.integer({ min: 1_000, max: 30 * 86_400_000 });
const token = (lifetimeMs: number) => ({ receivedAtMs: 0, lifetimeMs, expiresAtMs: lifetimeMs });
const at = (ms: number) => ({ monotonicMs: ms, wallMs: ms });

describe('refresh policy', () => {
  it('never renews a fresh token in the first two thirds of its life, whatever the window', () => {
    fc.assert(
      fc.property(
        lifetime,
        fc.integer({ min: 0, max: 1e9 }),
        fc.double({ min: 0, max: 0.66, noNaN: true }),
        (life, option, part) => {
          expect(decideUse(token(life), at(life * part), option, 0)).toBe('serve');
        },
      ),
    );
  });

  it('lets nobody wait while the token holds, and everybody once it is over', () => {
    fc.assert(
      fc.property(lifetime, fc.double({ min: 0, max: 2, noNaN: true }), fc.nat(), (life, part, notBefore) => {
        const use = decideUse(token(life), at(life * part), 300_000, notBefore);
        expect(use === 'wait').toBe(life * part >= life);
      }),
    );
  });

  it('renews a 30 s token in its last 10 s and a 30 day token in its last 5 min', () => {
    expect(windowMs(30_000, 300_000)).toBe(10_000);
    expect(windowMs(30 * 86_400_000, 300_000)).toBe(300_000);
    expect(decideUse(token(30_000), at(20_000), 300_000, 0)).toBe('serve-and-refresh');
    expect(decideUse(token(30_000), at(20_000), 300_000, 20_001)).toBe('serve');
  });

  it('believes the clock that says the token ends first', () => {
    const times = token(60_000);
    expect(remainingMs(times, { monotonicMs: 1_000, wallMs: 59_000 })).toBe(1_000);
    expect(remainingMs(times, { monotonicMs: 59_000, wallMs: 0 })).toBe(1_000);
  });

  it('leaves an issuer that repeats itself alone for half the rest, at least 10 s', () => {
    fc.assert(
      fc.property(lifetime, random, (left, dice) => {
        const pause = repeatPauseMs(left, dice);
        expect(pause).toBeGreaterThanOrEqual(Math.max(REPEAT_PAUSE_MS, left / 2));
        expect(pause).toBeLessThanOrEqual(1.1 * Math.max(REPEAT_PAUSE_MS, left / 2));
      }),
    );
  });

  it('pauses after every failure, longer each time, never above the cap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), random, (failures, dice) => {
        const pause = failurePauseMs(failures, dice);
        expect(pause).toBeGreaterThanOrEqual(500);
        expect(pause).toBeLessThanOrEqual(FAILURE_CAP_MS);
        expect(failurePauseMs(failures + 1, dice)).toBeGreaterThanOrEqual(pause);
      }),
    );
  });
});
