import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { PermanentTaskError } from 'antenna-sdk';
import { buildSuccess } from '../../../src/worker/results/result-builder.js';
import { ResultEncoder } from '../../../src/worker/results/encode.js';
import { pipeline } from '../../support/pipelines.js';

const task = { image_id: '7', image_url: 'https://images.invalid/7.jpg' };
const timing = { timestamp: '2026-01-01T00:00:00.000Z', totalTimeMs: 12.5 };
const box = { x1: 1, y1: 1, x2: 9, y2: 9 };
const made = pipeline();

describe('ResultEncoder', () => {
  it('gives exactly the bytes of compact JSON, small or large, sliced or not', async () => {
    const encoder = new ResultEncoder();
    const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 1,
      maxLength: 3,
    });
    const detections = fc.array(
      fc.record({
        bbox: fc.constantFrom(box, null),
        classifications: fc.array(fc.record({ scores: numbers, logits: numbers }), { maxLength: 4 }),
      }),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(detections, async (given) => {
        const outcome = await encoder.encode(made, task, { detections: given }, timing);
        const whole = JSON.stringify(buildSuccess(made, task, { detections: given }, timing));
        expect(outcome.body.toString()).toBe(whole);
      }),
    );
  });

  it('writes what a tensor library gives as arrays of the shortest decimals', async () => {
    const [scores, logits] = [Float32Array.of(0.1, 0.2, 0.7), Float32Array.of(-2.5, 1 / 3, 1e-7)];
    const detections = [{ bbox: box, classifications: [{ scores, logits }] }];
    const { body } = await new ResultEncoder().encode(made, task, { detections }, timing);
    expect(body.toString()).toContain('"scores":[0.1,0.2,0.7],"logits":[-2.5,0.33333334,1e-7]');
  });

  it.each([
    ['doubles', (numbers: readonly number[]) => numbers],
    ['a Float32Array', (numbers: readonly number[]) => Float32Array.from(numbers)],
  ])(
    'lets others have their turn many times while it encodes 24 results of 100,000 scores and logits in %s',
    async (_, listOf) => {
      const categories = Array.from({ length: 2_500 }, (_, index) => ({ label: `species ${index}` }));
      const large = pipeline({
        algorithms: [
          { key: 'test-box', name: 'Test Box', task_type: 'detection' },
          {
            key: 'test-species',
            name: 'Test Species',
            task_type: 'classification',
            category_map: { data: categories },
          },
        ],
      });
      const values = Array.from({ length: 2_500 }, (_, index) => Math.sin(index) ** 2);
      const scores = listOf(values);
      const logits = listOf(values.map((score) => Math.log(score + 1e-9)));
      const result = {
        detections: Array.from({ length: 40 }, () => ({ bbox: box, classifications: [{ scores, logits }] })),
      };
      const encoder = new ResultEncoder();
      let turns = 0;
      let encoding = true;
      const count = (): void => {
        turns += 1;
        if (encoding) setImmediate(count);
      };
      setImmediate(count);
      const outcomes = await Promise.all(
        Array.from({ length: 24 }, async () => encoder.encode(large, task, result, timing)),
      );
      encoding = false;
      expect(outcomes[0]?.body.length).toBeGreaterThan(1_900_000);
      // One for each result at least; encoded in one go, all of them would leave a handful of turns.
      expect(turns).toBeGreaterThanOrEqual(24);
    },
  );

  it('names the detection and the field of a handler’s mistake', async () => {
    const encoder = new ResultEncoder();
    const wrong = { detections: [{ bbox: box }, { bbox: box, crop_image_url: 'x'.repeat(300) }] };
    expect(() => encoder.encode(made, task, wrong, timing)).toThrow(/detections\.1\.crop_image_url/);
    expect(() => encoder.encode(made, task, { detections: 'none' } as never, timing)).toThrow(
      PermanentTaskError,
    );
    const logits = Array.from({ length: 5_000 }, () => 0.5);
    const large = { bbox: box, classifications: [{ scores: [1], logits }] };
    const wrongLarge = { detections: [large, { bbox: box, crop_image_url: 'x'.repeat(300) }] };
    await expect(encoder.encode(made, task, wrongLarge, timing)).rejects.toThrow(
      /detections\.1\.crop_image_url/,
    );
    // One mistake does not stop the next result.
    expect((await encoder.encode(made, task, { detections: [] }, timing)).kind).toBe('success');
  });
});
