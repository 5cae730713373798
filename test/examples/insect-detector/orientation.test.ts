import sharp from 'sharp';
import { expect, it } from 'vitest';
import { detectInsects } from '../../../examples/insect-detector/detect.js';
import { drawBoxes } from '../../../src/cli/report/draw.js';
import { overlap } from './boxes.js';

/** Where the insect lies in the pixels as stored: near the top left, so that no turn leaves it where it is. */
const INSECT = { x1: 180, y1: 170, x2: 300, y2: 230 };

/** A photograph of a camera that was held upright: the pixels lie on their side, and a tag tells viewers to turn them. */
async function photograph(orientation: number): Promise<Buffer> {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="800"><rect width="100%" height="100%" fill="#d8d8d4"/>' +
    '<ellipse cx="240" cy="200" rx="60" ry="30" fill="#33261a"/></svg>';
  return sharp(Buffer.from(svg)).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
}

/** Middle of all pixels that another picture does not have. */
async function middleOfInk(drawn: Buffer, plain: Buffer): Promise<{ x: number; y: number }> {
  const raw = (image: Buffer) => sharp(image).greyscale().raw().toBuffer({ resolveWithObject: true });
  const [{ data, info }, { data: before }] = [await raw(drawn), await raw(plain)];
  let [count, x, y] = [0, 0, 0];
  data.forEach((value, i) => {
    if (Math.abs(value - (before[i] ?? 0)) < 60) return;
    count += 1;
    x += i % info.width;
    y += Math.floor(i / info.width);
  });
  return { x: x / count, y: y / count };
}

it('finds an insect in the pixels as stored, whatever the orientation tag', async () => {
  const turned = await photograph(6);
  expect((await sharp(turned).metadata()).orientation).toBe(6);
  const found = await detectInsects(turned, { workingSize: 1200 });
  expect(found).toMatchObject({ width: 1200, height: 800 });
  expect(found.blobs).toHaveLength(1);
  expect(overlap(found.blobs[0]?.bbox ?? { x1: 0, y1: 0, x2: 0, y2: 0 }, INSECT)).toBeGreaterThan(0.8);
  expect(found).toEqual(await detectInsects(await photograph(1), { workingSize: 1200 }));
});

it('draws the box where the insect is, on a picture that no viewer turns', async () => {
  const turned = await photograph(6);
  const drawn = await drawBoxes(turned, [{ bbox: INSECT, label: 'a', score: 0.9 }]);
  const { width, height, orientation = 1 } = await sharp(drawn).metadata();
  expect({ width, height, orientation }).toEqual({ width: 1200, height: 800, orientation: 1 });
  const { x, y } = await middleOfInk(drawn, await photograph(1));
  expect(x).toBeGreaterThan(INSECT.x1 - 40);
  expect(x).toBeLessThan(INSECT.x2 + 40);
  expect(y).toBeGreaterThan(INSECT.y1 - 60);
  expect(y).toBeLessThan(INSECT.y2 + 60);
});
