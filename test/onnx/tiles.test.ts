import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { BoundingBox } from 'antenna-sdk';
import { Decoder } from '../../src/onnx/decode.js';
import { detect, type AskModel } from '../../src/onnx/detect.js';
import { ONNX_DEFAULTS } from '../../src/onnx/description.js';
import { NORMALISATIONS, type RawImage } from '../../src/onnx/pixels.js';
import type { PlannedDetector } from '../../src/onnx/plan.js';

const SIDE = 160;
const DARK = 0.5;

/** A detector that cannot err: the bounds of every group of dark pixels that touch, found by flooding. `[1, n, 6]`, and n is that of the fullest. */
function floodedBoxes(pixels: Float32Array): number[][] {
  const plane = pixels.slice(0, SIDE * SIDE);
  const boxes: number[][] = [];
  for (let start = 0; start < plane.length; start += 1) {
    if ((plane[start] ?? 1) >= DARK) continue;
    let [x1, y1, x2, y2] = [SIDE, SIDE, 0, 0];
    const open = [start];
    plane[start] = 1;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
      [x1, y1, x2, y2] = [Math.min(x1, x), Math.min(y1, y), Math.max(x2, x + 1), Math.max(y2, y + 1)];
      const beside = [x > 0 && at - 1, x < SIDE - 1 && at + 1, y > 0 && at - SIDE, y < SIDE - 1 && at + SIDE];
      for (const next of beside)
        if (next !== false && (plane[next] ?? 1) < DARK) {
          plane[next] = 1;
          open.push(next);
        }
    }
    boxes.push([x1, y1, x2, y2, 0.5 + (x2 - x1) / (4 * SIDE), 0]);
  }
  return boxes;
}

const ask: AskModel = ({ data, count }) => {
  const images = Array.from({ length: count }, (_, slot) =>
    floodedBoxes((data as Float32Array).slice(slot * 3 * SIDE * SIDE, (slot + 1) * 3 * SIDE * SIDE)),
  );
  const rows = Math.max(1, ...images.map((boxes) => boxes.length));
  const numbers = new Float32Array(count * rows * 6);
  images.forEach((boxes, slot) => {
    boxes.forEach((box, row) => {
      numbers.set(box, (slot * rows + row) * 6);
    });
  });
  const outputs = [{ name: 'output0', type: 'float32', dims: [count, rows, 6], data: numbers }];
  return Promise.resolve({ runs: [{ count, outputs }], runMs: 0 });
};

function detector(tiles: PlannedDetector['tiles']): PlannedDetector {
  return {
    where: 'detector',
    path: '',
    inputSize: undefined,
    normalisation: undefined,
    channels: 'rgb',
    resample: 'linear',
    padding: 255,
    outputName: undefined,
    wanted: 'auto',
    labels: undefined,
    keep: undefined,
    confidence: 0.25,
    iou: ONNX_DEFAULTS.iou,
    agnostic: true,
    maxDetections: 300,
    tiles,
    format: {
      width: SIDE,
      height: SIDE,
      type: 'float32',
      layout: 'nchw',
      channels: 'rgb',
      normalisation: NORMALISATIONS.unit,
      padding: 255,
    },
    layout: { kind: 'end-to-end', output: 'output0' },
    fit: 'letterbox',
    maxBatch: 3,
  };
}

interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly blobs: readonly BoundingBox[];
}

/** Dark rectangles, far enough from each other that they do not touch in the smallest picture of them. */
const sheets: fc.Arbitrary<Sheet> = fc
  .record({
    width: fc.integer({ min: 100, max: 900 }),
    height: fc.integer({ min: 100, max: 900 }),
    blobs: fc.array(
      fc.record({
        x: fc.nat(900),
        y: fc.nat(900),
        across: fc.integer({ min: 16, max: 38 }),
        down: fc.integer({ min: 16, max: 38 }),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  })
  .map(({ width, height, blobs }) => {
    const apart: BoundingBox[] = [];
    for (const { x, y, across, down } of blobs) {
      const [x1, y1] = [x % (width - across), y % (height - down)];
      const box = { x1, y1, x2: x1 + across, y2: y1 + down };
      const near = (other: BoundingBox): boolean =>
        x1 < other.x2 + 20 && other.x1 < box.x2 + 20 && y1 < other.y2 + 20 && other.y1 < box.y2 + 20;
      if (!apart.some(near)) apart.push(box);
    }
    return { width, height, blobs: apart };
  });

function drawn({ width, height, blobs }: Sheet): RawImage {
  const data = new Uint8Array(width * height * 3).fill(230);
  for (const { x1, y1, x2, y2 } of blobs)
    for (let y = y1; y < y2; y += 1) data.fill(20, (y * width + x1) * 3, (y * width + x2) * 3);
  return { width, height, data };
}

/** Every blob has one box whose sides are within so many pixels of its own, and there are no other boxes. */
function expectEach(found: readonly BoundingBox[], blobs: readonly BoundingBox[], within: number): void {
  const sides = ['x1', 'y1', 'x2', 'y2'] as const;
  for (const blob of blobs) {
    const fitting = found.filter((box) => sides.every((side) => Math.abs(box[side] - blob[side]) <= within));
    expect(
      fitting,
      `boxes of the blob at ${JSON.stringify(blob)} among ${JSON.stringify(found)}`,
    ).toHaveLength(1);
  }
  expect(found).toHaveLength(blobs.length);
}

/** At 0.6 of its size two rows of the blob are in a tile of their own, and its lower edge is half a row too low. */
const SLIVER: Sheet = { width: 100, height: 861, blobs: [{ x1: 0, y1: 173, x2: 16, y2: 199 }] };

describe('tiles', () => {
  const decoder = new Decoder(sharp);
  const find = async (image: RawImage, tiles: PlannedDetector['tiles']): Promise<readonly BoundingBox[]> =>
    await detect(detector(tiles), image, image, decoder, {
      ask,
      timings: { decodeMs: 0, prepareMs: 0, modelMs: 0, finishMs: 0 },
      now: () => 0,
      check: () => undefined,
    });

  it.each([
    ['at the scale of the image', [1]],
    ['at two scales', [1, 0.6]],
  ])('find what the whole image finds, each once, wherever their edges are: %s', async (_, scales) => {
    await fc.assert(
      fc.asyncProperty(sheets, fc.constantFrom(0.25, 0.4), async (sheet, overlap) => {
        const image = drawn(sheet);
        const whole = await find(image, undefined);
        const tiled = await find(image, { scales, overlap, wholeImage: false, maxTiles: 512 });
        // A pixel of the whole image as the model sees it is so many of the image.
        const pixel = Math.max(1, Math.max(sheet.width, sheet.height) / SIDE);
        expectEach(whole, sheet.blobs, 1.5 * pixel);
        expectEach(tiled, sheet.blobs, 2.5);
      }),
      { numRuns: 40, examples: [[SLIVER, 0.25]] },
    );
  });
});
