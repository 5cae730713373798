import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { LABELS } from '../../../examples/insect-detector/classify.js';
import { colorOf } from '../../../src/cli/report/detection.js';
import { drawBoxes } from '../../../src/cli/report/draw.js';
import { placeLabels } from '../../../src/cli/report/label-layout.js';
import { overlap } from './boxes.js';

const white = (width: number, height: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
    .jpeg()
    .toBuffer();

/** Largest departure from white in a region: 0 means that nothing was drawn there. */
async function inkIn(
  jpeg: Buffer,
  left: number,
  top: number,
  width: number,
  height: number,
): Promise<number> {
  const { channels } = await sharp(
    await sharp(jpeg).extract({ left, top, width, height }).toBuffer(),
  ).stats();
  return 255 - Math.min(...channels.map(({ min }) => min));
}

describe('drawBoxes', () => {
  it('draws the box around the insect and leaves its inside free', async () => {
    const detection = { bbox: { x1: 400, y1: 300, x2: 600, y2: 400 }, label: 'a', score: 0.9 };
    const drawn = await drawBoxes(await white(1000, 800), [detection]);
    expect(await inkIn(drawn, 385, 320, 15, 60)).toBeGreaterThan(100);
    expect(await inkIn(drawn, 600, 320, 15, 60)).toBeGreaterThan(100);
    expect(await inkIn(drawn, 420, 320, 160, 60)).toBeLessThan(20);
    expect(await inkIn(drawn, 700, 600, 200, 100)).toBeLessThan(20);
  });

  it('keeps the size of the source by default, and scales boxes with a smaller preview', async () => {
    const detection = { bbox: { x1: 400, y1: 300, x2: 600, y2: 400 }, label: 'a', score: 0.9 };
    const source = await white(1000, 800);
    const full = await sharp(await drawBoxes(source, [detection])).metadata();
    expect([full.format, full.width, full.height]).toEqual(['jpeg', 1000, 800]);
    const preview = await drawBoxes(source, [detection], { maxSide: 500 });
    expect((await sharp(preview).metadata()).width).toBe(500);
    expect(await inkIn(preview, 190, 160, 10, 30)).toBeGreaterThan(100);
  });

  it('draws labels with markup in them, and images that are grey or transparent', async () => {
    const detections = [{ bbox: { x1: 10, y1: 40, x2: 200, y2: 90 }, label: '<b>&"\u0000', score: 1 }];
    const grey = await sharp(await white(400, 300))
      .greyscale()
      .png()
      .toBuffer();
    const clear = await sharp(await white(400, 300))
      .ensureAlpha(0.5)
      .png()
      .toBuffer();
    for (const image of [grey, clear]) {
      expect((await sharp(await drawBoxes(image, detections)).metadata()).format).toBe('jpeg');
    }
  });

  it('gives every label of the classifier its own colour', () => {
    expect(new Set(LABELS.map((label) => colorOf(label, LABELS))).size).toBe(LABELS.length);
    expect(colorOf('something else')).toMatch(/^#[0-9a-f]{6}$/);
  });
});

describe('placeLabels', () => {
  const metrics = { width: 1000, height: 800, fontSize: 20, gap: 4 };

  it('covers neither a box nor another label while there is room', () => {
    const boxes = [100, 180, 260, 340].map((y) => ({ x1: 300, y1: y, x2: 360, y2: y + 40 }));
    const placed = placeLabels(
      boxes.map((box, i) => ({ box, texts: [`${i} a label of some length`, `${i}`] })),
      metrics,
    );
    placed.forEach((label, i) => {
      for (const other of [...boxes, ...placed.slice(i + 1).map(({ box }) => box)]) {
        expect(overlap(label.box, other)).toBe(0);
      }
    });
  });

  it('takes the short text where the long one finds no room', () => {
    const [placed] = placeLabels(
      [{ box: { x1: 10, y1: 100, x2: 90, y2: 140 }, texts: ['a label too long for this picture', '7'] }],
      { ...metrics, width: 120 },
    );
    expect(placed?.text).toBe('7');
  });

  it('keeps the label inside the picture when the box fills all of it', () => {
    const [placed] = placeLabels([{ box: { x1: 0, y1: 0, x2: 1000, y2: 800 }, texts: ['1'] }], metrics);
    expect(placed?.box.x1).toBeGreaterThanOrEqual(0);
    expect(placed?.box.y1).toBeGreaterThanOrEqual(0);
  });
});
