import { OutOfMemoryTaskError, RetryableTaskError, type BatchAttempt, type TaskImage } from 'antenna-sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HandlerAbortError } from '../../../src/worker/executors/joined-signal.js';
import { HandlerCrashError } from '../../../src/worker/executors/execution-errors.js';
import { isolate } from '../../../src/worker/executors/isolate.js';
import { runUnits } from '../../../src/worker/executors/run-units.js';
import { imagesOf, wentWell } from './support.js';

const ok = (unit: readonly TaskImage[]) =>
  unit.map(({ id }) => ({ ok: true, result: { detections: [], of: id } }) as const);

describe('narrowing a failed batch down', () => {
  it('gives the error to exactly the bad images, in at most 2k·log₂n attempts more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 64 }), async (good) => {
        const images = imagesOf(...good.map((is) => (is ? 'good' : 'bad')));
        let attempts = 0;
        const outcomes = await isolate(images, (unit) => {
          attempts += 1;
          const bad = unit.some(({ bytes }) => bytes.toString() === 'bad');
          return bad ? Promise.reject(new Error('bad batch')) : Promise.resolve(ok(unit));
        });
        expect(wentWell(outcomes)).toEqual(good);
        outcomes.forEach((outcome, index) => {
          if (outcome.ok) expect(outcome.result).toMatchObject({ of: `img-${index}` });
        });
        const k = good.filter((is) => !is).length;
        expect(attempts).toBeLessThanOrEqual(1 + 2 * k * Math.ceil(Math.log2(good.length)));
      }),
    );
  });

  it.each([
    ['an abort', (): Error => new HandlerAbortError('shutdown')],
    ['a handler that says itself that later is better', (): Error => new RetryableTaskError('GPU busy')],
  ])('is not tried for %s: smaller batches would help nobody', async (_, make) => {
    const error = make();
    let attempts = 0;
    const outcomes = await isolate(imagesOf('a', 'b', 'c'), () => {
      attempts += 1;
      return Promise.reject(error);
    });
    expect(attempts).toBe(1);
    expect(outcomes).toEqual([1, 2, 3].map(() => ({ ok: false, error })));
  });

  it('is done for want of memory, whose images are to blame only when they are alone', async () => {
    const full = new OutOfMemoryTaskError('full');
    const sizes: number[] = [];
    const outcomes = await isolate(imagesOf('a', 'b', 'c', 'large'), (unit) => {
      sizes.push(unit.length);
      const fits = unit.length <= 2 && !unit.some(({ bytes }) => bytes.toString() === 'large');
      return fits ? Promise.resolve(ok(unit)) : Promise.reject(full);
    });
    expect(sizes).toEqual([4, 2, 2, 1, 1]);
    expect(wentWell(outcomes)).toEqual([true, true, true, false]);
  });

  it('blames a crash on an image only where nothing else had run, and asks for such a place once', async () => {
    const asked: boolean[] = [];
    const outcomes = await isolate(imagesOf('a'), (_, fresh) => {
      asked.push(fresh);
      return Promise.reject(new HandlerCrashError('died', { fresh: false }));
    });
    expect(asked).toEqual([false, true]);
    expect(wentWell(outcomes)).toEqual([false]);
  });
});

describe('running a batch in units', () => {
  it('fails the images of a unit whose outcomes do not match it, instead of shifting them', async () => {
    const outcomes = await runUnits(imagesOf('a', 'b'), 'batch', (unit) =>
      Promise.resolve(ok(unit).slice(1)),
    );
    expect(wentWell(outcomes)).toEqual([false, false]);
  });

  it('tells of every call, and of none that was aborted', async () => {
    const seen: BatchAttempt[] = [];
    const hear = (attempt: BatchAttempt): void => void seen.push(attempt);
    const error = new Error('bad');
    const images = imagesOf('good', 'bad');
    const attempt = (unit: readonly TaskImage[]) =>
      unit.some(({ bytes }) => bytes.toString() === 'bad')
        ? Promise.reject(error)
        : Promise.resolve(ok(unit));
    await runUnits(images, 'batch', attempt, hear);
    expect(seen).toEqual([
      { images, error },
      { images: [images[0]], error: undefined },
      { images: [images[1]], error },
    ]);
    seen.length = 0;
    await runUnits(images, 'batch', () => Promise.reject(new HandlerAbortError('shutdown')), hear);
    expect(seen).toEqual([]);
  });

  it('tells of a call in which only some images ran out of memory as one that did', async () => {
    const seen: BatchAttempt[] = [];
    const full = new OutOfMemoryTaskError('full');
    const attempt = ([first, ...rest]: readonly TaskImage[]) =>
      Promise.resolve([
        ...ok(first ? [first] : []),
        ...rest.map(() => ({ ok: false, error: full }) as const),
      ]);
    await runUnits(imagesOf('a', 'b'), 'batch', attempt, (given) => void seen.push(given));
    expect(seen.map((given) => given.error)).toEqual([full]);
  });

  it('answers an empty batch without calling the handler', async () => {
    const never = (): Promise<never> => Promise.reject(new Error('called'));
    expect(await runUnits([], 'batch', never)).toEqual([]);
    expect(await runUnits([], 'image', never)).toEqual([]);
  });
});
