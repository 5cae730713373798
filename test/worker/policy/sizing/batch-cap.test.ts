import fc from 'fast-check';
import { OutOfMemoryTaskError } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { BatchCap, BatchTrial, type BatchLesson } from '../../../../src/worker/policy/sizing/batch-cap.js';

const full = new OutOfMemoryTaskError('CUDA out of memory');
const other = new Error('the model failed');

type Call = (ids: readonly number[]) => unknown;

/** What a worker does with a batch: halves of what failed, down to single images. */
function tried(size: number, call: Call): BatchTrial {
  const trial = new BatchTrial();
  const attempt = (ids: readonly number[]): void => {
    const error = call(ids);
    trial.add({ images: ids.map((id) => ({ id: String(id) })), error });
    if (error === undefined || ids.length === 1) return;
    const middle = ids.length >> 1;
    attempt(ids.slice(0, middle));
    attempt(ids.slice(middle));
  };
  attempt(Array.from({ length: size }, (_, id) => id));
  return trial;
}

const room =
  (images: number, error: unknown = other): Call =>
  ({ length }) =>
    length > images ? error : undefined;

/** Gives batches as large as may be to a handler with so much room. @returns the sizes of the first calls, and the failures. */
function run(
  cap: BatchCap,
  wanted: number,
  batches: number,
  call: Call,
): { sizes: number[]; failures: number } {
  const sizes: number[] = [];
  let failures = 0;
  for (let batch = 0; batch < batches; batch++) {
    const size = Math.min(wanted, cap.limit);
    sizes.push(size);
    const trial = tried(size, call);
    if (!trial.wentWell) failures += 1;
    cap.learn(trial, wanted);
  }
  return { sizes, failures };
}

describe('what a batch teaches', () => {
  it.each<[string, number, Call, BatchLesson | undefined]>([
    ['nothing when it goes well', 24, room(24), undefined],
    ['the size of its halves, when they go well', 24, room(12), { limit: 12, reason: 'failed' }],
    ['the size of the parts that went well at last', 24, room(5), { limit: 3, reason: 'failed' }],
    ['single images, when only they go well', 4, room(1), { limit: 1, reason: 'failed' }],
    ['nothing when it comes down to single images', 24, room(0), undefined],
    ['nothing when one image is to blame', 24, (ids) => (ids.includes(5) ? other : undefined), undefined],
    ['want of memory: the size of its halves', 24, room(12, full), { limit: 12, reason: 'out-of-memory' }],
    ['want of memory for every image: half of it', 24, room(0, full), { limit: 12, reason: 'out-of-memory' }],
    [
      'want of memory for one giant: half of it, and not the size of its company',
      24,
      (ids) => (ids.includes(5) ? full : undefined),
      { limit: 12, reason: 'out-of-memory' },
    ],
    [
      'nothing while one of its images is bad by itself',
      24,
      (ids) => (ids.includes(23) || ids.length > 12 ? other : undefined),
      undefined,
    ],
    ['nothing to a single image', 1, room(0, full), undefined],
  ])('%s', (_, size, call, lesson) => {
    expect(tried(size, call).lesson()).toEqual(lesson);
  });
});

describe('the largest batch that is tried', () => {
  it('is not the one that did not fit, and grows by one image after 20 that went well', () => {
    const cap = new BatchCap();
    expect(cap.learn(tried(24, room(12)), 24)).toEqual({ from: 24, to: 12, reason: 'failed' });
    for (let batch = 1; batch < 20; batch++) expect(cap.learn(tried(12, room(12)), 24)).toBeUndefined();
    expect(cap.learn(tried(12, room(12)), 24)).toEqual({ from: 12, to: 13, reason: 'grown' });
  });

  it('goes back to what went well twenty times when one image more is too many, and lower when that fails too', () => {
    const cap = new BatchCap();
    run(cap, 24, 21, room(12));
    expect(cap.limit).toBe(13);
    expect(cap.learn(tried(13, room(12)), 24)).toMatchObject({ from: 13, to: 12 });
    expect(cap.learn(tried(12, room(6)), 24)).toMatchObject({ from: 12, to: 6 });
  });

  it('learns nothing from batches smaller than it, nor from one with a bad image', () => {
    const cap = new BatchCap();
    cap.learn(tried(24, room(12)), 24);
    for (let batch = 0; batch < 50; batch++) cap.learn(tried(3, room(12)), 24);
    for (let batch = 0; batch < 50; batch++)
      cap.learn(
        tried(12, (ids) => (ids.includes(0) ? other : undefined)),
        24,
      );
    expect(cap.limit).toBe(12);
  });

  it('is never raised by what a batch of another lane teaches later', () => {
    const cap = new BatchCap();
    cap.learn(tried(24, room(3)), 24);
    expect(cap.learn(tried(24, room(12)), 24)).toBeUndefined();
    expect(cap.limit).toBe(3);
  });

  it('comes back to the pipeline’s size once there is room again, and stays there', () => {
    const cap = new BatchCap();
    run(cap, 8, 1, room(4));
    const { sizes } = run(cap, 8, 100, room(8));
    expect(sizes.slice(-20)).toEqual(Array.from({ length: 20 }, () => 8));
  });

  it('fails at most every twentieth batch, and never at full size again, whatever the room', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 64 }), fc.nat(), fc.boolean(), (wanted, some, typed) => {
        const images = 1 + (some % (wanted - 1));
        const { sizes, failures } = run(new BatchCap(), wanted, 200, room(images, typed ? full : other));
        expect(Math.max(...sizes.slice(1))).toBeLessThanOrEqual(images + 1);
        expect(failures).toBeLessThanOrEqual(1 + 200 / 20);
        expect(Math.min(...sizes)).toBeGreaterThanOrEqual(Math.max(1, Math.floor(images / 2)));
      }),
    );
  });
});
