import { describe, expect, it } from 'vitest';
import { estimateBackground } from '../../../examples/insect-detector/background.js';
import { sampleRow } from '../../../examples/insect-detector/grid.js';
import type { RgbRaster } from '../../../examples/insect-detector/types.js';

const width = 640;
const height = 360;

/** A vignetted sheet; `cover` paints what lies on it. */
function sheet(cover: (x: number, y: number) => number | undefined): RgbRaster {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i += 1) {
    const x = i % width;
    const y = (i - x) / width;
    data.fill(cover(x, y) ?? Math.round(lightAt(x, y)), 3 * i, 3 * i + 3);
  }
  return { width, height, data };
}

const lightAt = (x: number, y: number): number => 220 / (1 + ((x - 300) ** 2 + (y - 200) ** 2) / 300_000);

function largestError(image: RgbRaster, within: (x: number, y: number) => boolean): number {
  const { green } = estimateBackground(image, 10);
  const row = new Float32Array(width);
  let worst = 0;
  for (let y = 0; y < height; y += 1) {
    sampleRow(green, y, row);
    row.forEach((value, x) => {
      if (within(x, y)) worst = Math.max(worst, Math.abs(value - lightAt(x, y)));
    });
  }
  return worst;
}

describe('estimateBackground', () => {
  it('follows the vignetting of an empty sheet within a few grey levels', () => {
    expect(
      largestError(
        sheet(() => undefined),
        () => true,
      ),
    ).toBeLessThan(6);
  });

  it('sees the sheet through a moth that covers many tiles', () => {
    const isMoth = (x: number, y: number): boolean => (x - 420) ** 2 / 80 ** 2 + (y - 150) ** 2 / 50 ** 2 < 1;
    const image = sheet((x, y) => (isMoth(x, y) ? 60 : undefined));
    expect(largestError(image, isMoth)).toBeLessThan(12);
  });
});
