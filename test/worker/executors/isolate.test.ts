import { RetryableTaskError, type TaskImage } from 'antenna-sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HandlerAbortError } from '../../../src/worker/executors/abort-reason.js';
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

  it('answers an empty batch without calling the handler', async () => {
    const never = (): Promise<never> => Promise.reject(new Error('called'));
    expect(await runUnits([], 'batch', never)).toEqual([]);
    expect(await runUnits([], 'image', never)).toEqual([]);
  });
});
