import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdBackoffMs, postBackoffCapMs, postBackoffMs } from '../../../src/worker/policy/backoff.js';
import { BodyCap } from '../../../src/worker/policy/learned-limits.js';
import { isFull, packCount } from '../../../src/worker/outbox/job-queue.js';
import { RecentResults } from '../../../src/worker/outbox/recent-results.js';
import { addressOutcome, errorOutcome } from '../../../src/worker/task/outcome.js';

describe('backoff', () => {
  it('lies between nothing and 30 s, whatever happened, and never below what the server asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 0, max: 600_000 }),
        (failures, random, asked) => {
          expect(postBackoffMs(failures, random)).toBeGreaterThanOrEqual(0);
          expect(postBackoffMs(failures, random)).toBeLessThanOrEqual(30_000);
          expect(postBackoffMs(failures, random, asked)).toBeGreaterThanOrEqual(asked);
          expect(postBackoffMs(failures, random)).toBeLessThanOrEqual(500 * 2 ** Math.min(failures - 1, 6));
        },
      ),
    );
  });

  it('never lets a post wait for more than a quarter of a lease, since what is late is computed twice', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 2_000, max: 600_000 }),
        (failures, random, leaseMs) => {
          const waitMs = postBackoffMs(failures, random, 0, postBackoffCapMs(leaseMs));
          expect(waitMs).toBeLessThanOrEqual(Math.min(30_000, leaseMs / 4));
        },
      ),
    );
    expect(postBackoffCapMs(300_000)).toBe(30_000);
    expect(postBackoffMs(1, 0.5, 60_000, postBackoffCapMs(30_000))).toBe(60_000);
  });

  it('tries a refused credential after 1, 2, 4 … 60 s', () => {
    const waits = (leaseMs?: number): number[] => [1, 2, 3, 4, 7, 100].map((n) => holdBackoffMs(n, leaseMs));
    expect(waits()).toEqual([1_000, 2_000, 4_000, 8_000, 60_000, 60_000]);
    expect(waits(300_000)).toEqual(waits());
  });

  it('tries it again within a quarter of the lease while results wait', () => {
    expect([1, 2, 3, 4, 7, 100].map((n) => holdBackoffMs(n, 30_000))).toEqual([
      ...[1_000, 2_000, 4_000, 7_500],
      ...[7_500, 7_500],
    ]);
    expect(holdBackoffMs(100, 10)).toBe(1_000);
  });
});

describe('packCount', () => {
  it('packs everything, in order, within bytes and count unless one alone is larger', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 });
    fc.assert(
      fc.property(sizes, (given) => {
        let rest = given.map((bytes) => ({ bytes }));
        while (rest.length > 0) {
          const post = rest.slice(0, packCount(rest, { maxBytes: 15, maxResults: 4 }));
          const bytes = post.reduce((sum, item) => sum + item.bytes, 0);
          expect(post.length).toBeGreaterThan(0);
          expect(post.length).toBeLessThanOrEqual(4);
          expect(bytes <= 15 || post.length === 1).toBe(true);
          rest = rest.slice(post.length);
        }
      }),
    );
  });

  it('calls a queue full by bytes or by count', () => {
    const limits = { maxBytes: 10, maxResults: 3 };
    expect(isFull({ count: 1, bytes: 9 }, limits)).toBe(false);
    expect(isFull({ count: 1, bytes: 10 }, limits)).toBe(true);
    expect(isFull({ count: 3, bytes: 3 }, limits)).toBe(true);
  });
});

describe('BodyCap', () => {
  it('halves what was refused, never below what was accepted, and grows slowly', () => {
    const cap = new BodyCap(1_000);
    cap.accepted(600);
    cap.tooLarge(900);
    expect(cap.bytes).toBe(600);
    for (let post = 0; post < 20; post++) cap.accepted(100);
    expect(cap.bytes).toBe(660);
  });

  it('finds any limit within a few posts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 8 * 1024 * 1024 }), (limit) => {
        const cap = new BodyCap();
        let refusals = 0;
        while (cap.bytes > limit) {
          cap.tooLarge(cap.bytes);
          refusals += 1;
        }
        expect(refusals).toBeLessThanOrEqual(14);
        expect(cap.bytes).toBeGreaterThan(limit / 2 - 1);
      }),
    );
  });

  it('forgets what was accepted when the proxy refuses it now', () => {
    const cap = new BodyCap(1_000);
    cap.accepted(800);
    cap.tooLarge(800);
    expect(cap.bytes).toBe(400);
  });
});

describe('RecentResults', () => {
  it('keeps the newest within 16 MiB, and forgets the old', () => {
    const recent = new RecentResults();
    const large = (id: string) => ({ ...errorOutcome(id, 'x'), body: Buffer.alloc(6 * 1024 * 1024) });
    for (const id of ['1', '2', '3']) recent.add(id, large(id), Number(id));
    const known = (maxAgeMs: number, nowMs: number) =>
      ['1', '2', '3'].filter((id) => recent.get(id, maxAgeMs, nowMs));
    expect(known(10, 3)).toEqual(['2', '3']);
    expect(known(10, 12.5)).toEqual(['3']);
  });
});

describe('RecentResults of a fast worker', () => {
  it('are few enough to stay flat: small results count for what they take beside their bytes', () => {
    const recent = new RecentResults();
    for (let id = 0; id < 20_000; id++) recent.add(String(id), errorOutcome(String(id), 'x'), id);
    const ids = Array.from({ length: 20_000 }, (_, id) => id);
    const known = ids.filter((id) => recent.get(String(id), Number.POSITIVE_INFINITY, 20_000));
    // A look at an old one does not keep it in place of a newer one.
    expect(known).toEqual(ids.slice(15_000));
  });
});

describe('addressOutcome', () => {
  it('gives the bytes of compact JSON, whatever is in the subject', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (subject, text) => {
        const outcome = errorOutcome('7', text);
        const expected = JSON.stringify({ reply_subject: subject, result: { error: text, image_id: '7' } });
        expect(addressOutcome(outcome, subject).bytes.toString()).toBe(expected);
      }),
    );
  });
});
