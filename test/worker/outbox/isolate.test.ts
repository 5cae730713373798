import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isolate } from '../../../src/worker/outbox/job-queue.js';

describe('isolate', () => {
  it('finds exactly the bad ones of a refused post, in at most 2k·log₂n further posts (T12)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.uniqueArray(fc.nat(199), { minLength: 1, maxLength: 8 }),
        async (count, picks) => {
          const bad = new Set(picks.map((pick) => pick % count));
          const accepted: number[] = [];
          const refused: number[] = [];
          let posts = 0;
          const items = Array.from({ length: count }, (_, index) => index);
          const undecided = await isolate(items, {
            post: async (part) => {
              posts += 1;
              if (part.some((item) => bad.has(item))) return false;
              accepted.push(...part);
              return true;
            },
            bad: async (item) => {
              refused.push(item);
              return true;
            },
          });
          expect(undecided).toEqual([]);
          expect(new Set(refused)).toEqual(bad);
          expect([...accepted, ...refused].sort((a, b) => a - b)).toEqual(items);
          expect(posts).toBeLessThanOrEqual(2 * bad.size * Math.ceil(Math.log2(Math.max(2, count))));
        },
      ),
    );
  });

  it('hands back what it had not decided when it is told to give up', async () => {
    const accepted: number[] = [];
    const undecided = await isolate([1, 2, 3, 4, 5, 6], {
      post: async (part) => {
        if (part.includes(2)) return false;
        accepted.push(...part);
        return true;
      },
      bad: async () => false,
    });
    expect([...accepted, ...undecided].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
