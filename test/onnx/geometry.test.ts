import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cropOf,
  insideImage,
  isCut,
  isSliver,
  tilePasses,
  toImage,
  toWindow,
  wholeImagePass,
  type Fit,
  type Size,
} from '../../src/onnx/geometry.js';

const size = (min: number, max: number): fc.Arbitrary<Size> =>
  fc.record({ width: fc.integer({ min, max }), height: fc.integer({ min, max }) });
const image = size(1, 6000);
const input = size(32, 1280);
const fit = fc.constantFrom<Fit>('letterbox', 'letterbox-corner', 'stretch');
const part = fc.double({ min: 0, max: 1, noNaN: true });
const boxIn = ({ width, height }: Size): fc.Arbitrary<{ x1: number; y1: number; x2: number; y2: number }> =>
  fc.tuple(part, part, part, part).map(([a, b, c, d]) => ({
    x1: Math.min(a, b) * width,
    x2: Math.max(a, b) * width,
    y1: Math.min(c, d) * height,
    y2: Math.max(c, d) * height,
  }));

describe('the way to the model and back', () => {
  it('brings a box back to within half a pixel, whatever the size and aspect', () => {
    fc.assert(
      fc.property(
        fc.tuple(image, input, fit).chain(([i, n, f]) => fc.tuple(fc.constant({ i, n, f }), boxIn(i))),
        ([{ i, n, f }, box]) => {
          const { scaled, windows } = wholeImagePass(i, n, f);
          for (const window of windows) {
            const back = toImage(toWindow(box, window, scaled, i), window, scaled, i);
            for (const side of ['x1', 'y1', 'x2', 'y2'] as const)
              expect(Math.abs(back[side] - box[side])).toBeLessThan(0.5);
          }
        },
      ),
    );
  });

  it('keeps the whole image inside the input, and its aspect to within a pixel', () => {
    fc.assert(
      fc.property(image, input, (i, n) => {
        const { scaled, windows } = wholeImagePass(i, n, 'letterbox');
        const [window] = windows;
        expect(scaled.width).toBeLessThanOrEqual(n.width);
        expect(scaled.height).toBeLessThanOrEqual(n.height);
        expect(-(window?.x ?? 0) * 2).toBeGreaterThanOrEqual(n.width - scaled.width - 1);
        const ratio = Math.min(n.width / i.width, n.height / i.height);
        expect(Math.abs(scaled.width - i.width * ratio)).toBeLessThanOrEqual(1);
        expect(Math.abs(scaled.height - i.height * ratio)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('pads a 4K image as the training code does: 4096 × 2160 is 640 × 338 with 151 rows above', () => {
    expect(wholeImagePass({ width: 4096, height: 2160 }, { width: 640, height: 640 }, 'letterbox')).toEqual({
      scaled: { width: 640, height: 338 },
      windows: [{ x: -0, y: -151 }],
    });
  });
});

describe('tiles', () => {
  const tiling = fc.record({
    scales: fc.constant([1] as const),
    overlap: fc.double({ min: 0, max: 0.8, noNaN: true }),
  });

  it('show every pixel, and anything that is no larger than the overlap as a whole', () => {
    fc.assert(
      fc.property(
        size(1, 3000),
        size(32, 700),
        tiling,
        part,
        part,
        ({ width, height }, n, rule, atX, atY) => {
          const [pass] = tilePasses({ width, height }, n, rule);
          const insect = {
            width: Math.min(width, Math.floor(n.width * rule.overlap) || 1),
            height: Math.min(height, Math.floor(n.height * rule.overlap) || 1),
          };
          const x = Math.floor(atX * (width - insect.width));
          const y = Math.floor(atY * (height - insect.height));
          const seen = pass?.windows.some(
            (window) =>
              window.x <= x &&
              window.y <= y &&
              x + insect.width <= window.x + n.width &&
              y + insect.height <= window.y + n.height,
          );
          expect(seen).toBe(true);
        },
      ),
    );
  });

  it('stay inside an image that is larger than they are, and surround one that is smaller', () => {
    const n = { width: 640, height: 640 };
    for (const { windows, scaled } of tilePasses({ width: 4096, height: 2160 }, n, {
      scales: [1, 0.5],
      overlap: 0.2,
    }))
      for (const { x, y } of windows) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(y).toBeGreaterThanOrEqual(0);
        expect(x + 640).toBeLessThanOrEqual(scaled.width);
        expect(y + 640).toBeLessThanOrEqual(scaled.height);
      }
    const [small] = tilePasses({ width: 100, height: 640 }, n, { scales: [1], overlap: 0.2 });
    expect(small?.windows).toEqual([{ x: -270, y: -0 }]);
  });

  it('know a box that ends at an edge beyond which the image goes on', () => {
    const scaled = { width: 1000, height: 640 };
    const n = { width: 640, height: 640 };
    const box = { x1: 600, y1: 0, x2: 640, y2: 50 };
    expect(isCut(box, { x: 0, y: 0 }, scaled, n)).toBe(true);
    expect(isCut(box, { x: 360, y: 0 }, scaled, n)).toBe(false);
    expect(isCut({ ...box, x1: 0.5, x2: 30 }, { x: 360, y: 0 }, scaled, n)).toBe(true);
    expect(isCut({ ...box, x1: 0.5, x2: 30 }, { x: 0, y: 0 }, scaled, n)).toBe(false);
  });

  it('tells a sliver at the edge of a tile from a thin insect inside of it, or at the edge of the image', () => {
    const tile = { width: 160, height: 160 };
    const image = { width: 500, height: 500 };
    const inner = { x: 170, y: 170 };
    const line = { x1: 40, y1: 0, x2: 60, y2: 2 };
    expect(isSliver(line, inner, image, tile)).toBe(true);
    expect(isSliver({ ...line, y2: 3 }, inner, image, tile)).toBe(false);
    expect(isSliver({ ...line, y1: 20, y2: 22 }, inner, image, tile)).toBe(false);
    expect(isSliver(line, { x: 170, y: 0 }, image, tile)).toBe(false);
    expect(isSliver({ ...line, y1: 158, y2: 160 }, inner, image, tile)).toBe(true);
    expect(isSliver({ ...line, y1: 158, y2: 160 }, { x: 170, y: 340 }, image, tile)).toBe(false);
    expect(isSliver({ x1: 0, y1: 40, x2: 1, y2: 60 }, inner, image, tile)).toBe(true);
    expect(isSliver({ x1: 158, y1: 40, x2: 160, y2: 60 }, inner, image, tile)).toBe(true);
  });
});

describe('a box that is posted', () => {
  it('is inside the image and at least one pixel wide and high, or is not posted', () => {
    const number = fc.oneof(
      fc.double({ min: -9000, max: 9000, noNaN: true }),
      fc.constantFrom(Number.NaN, Infinity, -Infinity),
    );
    fc.assert(
      fc.property(number, number, number, number, size(1, 4000), (x1, y1, x2, y2, i) => {
        const box = insideImage({ x1, y1, x2, y2 }, i);
        if (!box) return;
        expect(box.x1).toBeGreaterThanOrEqual(0);
        expect(box.y1).toBeGreaterThanOrEqual(0);
        expect(box.x2).toBeLessThanOrEqual(i.width);
        expect(box.y2).toBeLessThanOrEqual(i.height);
        expect(box.x2 - box.x1).toBeGreaterThanOrEqual(1 - 1e-9);
        expect(box.y2 - box.y1).toBeGreaterThanOrEqual(1 - 1e-9);
      }),
    );
  });

  it('is left as it is when it is inside', () => {
    const box = { x1: 3.5, y1: 7.25, x2: 20, y2: 30 };
    expect(insideImage(box, { width: 100, height: 100 })).toEqual(box);
  });

  it('is dropped when it lies outside, or is no number', () => {
    expect(insideImage({ x1: -20, y1: 0, x2: -5, y2: 10 }, { width: 50, height: 50 })).toBeUndefined();
    expect(insideImage({ x1: Number.NaN, y1: 0, x2: 5, y2: 10 }, { width: 50, height: 50 })).toBeUndefined();
  });
});

describe('a crop', () => {
  it('lies inside the image, and its place inside the input, for any box, padding and shape', () => {
    fc.assert(
      fc.property(
        fc.tuple(size(1, 3000), size(8, 600)).chain(([i, n]) => fc.tuple(fc.constant({ i, n }), boxIn(i))),
        fc.double({ min: 0, max: 2, noNaN: true }),
        fc.boolean(),
        ([{ i, n }, box], padding, square) => {
          const { left, top, width, height, target } = cropOf(box, { padding, square }, i, n);
          for (const number of [left, top, width, height, target.x, target.y, target.width, target.height])
            expect(Number.isInteger(number)).toBe(true);
          expect(Math.min(left, top, target.x, target.y)).toBeGreaterThanOrEqual(0);
          expect(Math.min(width, height, target.width, target.height)).toBeGreaterThanOrEqual(1);
          expect(left + width).toBeLessThanOrEqual(i.width);
          expect(top + height).toBeLessThanOrEqual(i.height);
          expect(target.x + target.width).toBeLessThanOrEqual(n.width);
          expect(target.y + target.height).toBeLessThanOrEqual(n.height);
        },
      ),
    );
  });

  it('is a square around the box, moved inside where an edge is near', () => {
    const rule = { padding: 0.1, square: true };
    const i = { width: 1000, height: 1000 };
    const n = { width: 224, height: 224 };
    expect(cropOf({ x1: 400, y1: 450, x2: 600, y2: 550 }, rule, i, n)).toMatchObject({
      left: 380,
      top: 380,
      width: 240,
      height: 240,
    });
    expect(cropOf({ x1: 0, y1: 900, x2: 100, y2: 1000 }, rule, i, n)).toMatchObject({
      left: 0,
      top: 880,
      width: 120,
      height: 120,
    });
  });

  it('is padded where the square is larger than the image', () => {
    const crop = cropOf(
      { x1: 0, y1: 0, x2: 400, y2: 100 },
      { padding: 0, square: true },
      { width: 400, height: 100 },
      { width: 200, height: 200 },
    );
    expect(crop).toEqual({
      left: 0,
      top: 0,
      width: 400,
      height: 100,
      target: { x: 0, y: 75, width: 200, height: 50 },
    });
  });
});
