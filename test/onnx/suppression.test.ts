import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { suppress, type Candidates } from '../../src/onnx/suppression.js';

interface Box {
  readonly corners: readonly [number, number, number, number];
  readonly score: number;
  readonly class_: number;
  readonly cut: boolean;
}

const columns = (boxes: readonly Box[]): Candidates => ({
  boxes: Float64Array.from(boxes.flatMap(({ corners }) => corners)),
  scores: Float32Array.from(boxes, ({ score }) => score),
  classes: Int32Array.from(boxes, ({ class_ }) => class_),
  cut: Uint8Array.from(boxes, ({ cut }) => Number(cut)),
});

/** The definition, as slow as it is plain: every box against every box that is kept. */
function byDefinition(boxes: readonly Box[], iou: number, maxDetections: number): number[] {
  const order = boxes
    .map((box, index) => ({ ...box, score: Math.fround(box.score), index }))
    .sort((a, b) => Number(a.cut) - Number(b.cut) || b.score - a.score || a.index - b.index);
  const kept: typeof order = [];
  for (const box of order) {
    const gone = kept.some((other) => {
      if (other.class_ !== box.class_) return false;
      const [ax1, ay1, ax2, ay2] = box.corners;
      const [bx1, by1, bx2, by2] = other.corners;
      const width = Math.max(0, Math.min(ax2, bx2) - Math.max(ax1, bx1));
      const height = Math.max(0, Math.min(ay2, by2) - Math.max(ay1, by1));
      const shared = width * height;
      const areaA = (ax2 - ax1) * (ay2 - ay1);
      const areaB = (bx2 - bx1) * (by2 - by1);
      if (shared === 0) return false;
      return shared > iou * (areaA + areaB - shared) || (box.cut && shared > 0.5 * areaA);
    });
    if (!gone && kept.length < maxDetections) kept.push(box);
  }
  return kept.map(({ index }) => index);
}

const box: fc.Arbitrary<Box> = fc
  .record({
    // Whole numbers, so that overlaps of exactly the limit and equal scores come about.
    x: fc.integer({ min: 0, max: 60 }),
    y: fc.integer({ min: 0, max: 60 }),
    width: fc.integer({ min: 1, max: 30 }),
    height: fc.integer({ min: 1, max: 30 }),
    score: fc.integer({ min: 1, max: 20 }).map((tenths) => tenths / 20),
    class_: fc.integer({ min: 0, max: 2 }),
    cut: fc.boolean(),
  })
  .map(({ x, y, width, height, ...rest }) => ({ corners: [x, y, x + width, y + height], ...rest }));

describe('suppression', () => {
  it('keeps exactly what the quadratic definition keeps, in the same order', () => {
    fc.assert(
      fc.property(
        fc.array(box, { maxLength: 120 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        (boxes, iou, maxDetections) => {
          expect(suppress(columns(boxes), { iou, maxDetections })).toEqual(
            byDefinition(boxes, iou, maxDetections),
          );
        },
      ),
      { numRuns: 400 },
    );
  });

  it('keeps a whole insect and drops its half from the next tile, though the half has the better score', () => {
    const whole: Box = { corners: [80, 10, 120, 30], score: 0.6, class_: 0, cut: false };
    const half: Box = { corners: [80, 10, 100, 30], score: 0.9, class_: 0, cut: true };
    expect(suppress(columns([half, whole]), { iou: 0.7, maxDetections: 10 })).toEqual([1]);
  });

  it('keeps a cut box that no other explains', () => {
    const half: Box = { corners: [80, 10, 100, 30], score: 0.9, class_: 0, cut: true };
    const far: Box = { corners: [300, 10, 320, 30], score: 0.3, class_: 0, cut: false };
    expect(suppress(columns([half, far]), { iou: 0.5, maxDetections: 10 })).toEqual([1, 0]);
  });

  it('works on no boxes, and on boxes that are all the same', () => {
    const same: Box = { corners: [5, 5, 9, 9], score: 0.5, class_: 0, cut: false };
    expect(suppress(columns([]), { iou: 0.5, maxDetections: 10 })).toEqual([]);
    expect(suppress(columns([same, same, same]), { iou: 0.5, maxDetections: 10 })).toEqual([0]);
  });
});
