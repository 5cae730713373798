import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { generateTrapImage } from '../../../examples/insect-detector/trap-images.js';
import { overlap } from './boxes.js';

describe('generateTrapImage', () => {
  it('makes the same image from the same seed, and another from another', async () => {
    const [first, again, other] = await Promise.all(
      [7, 7, 8].map((seed) => generateTrapImage({ seed, width: 640, height: 360, insects: 3 })),
    );
    expect(again?.jpeg.equals(first?.jpeg ?? Buffer.alloc(0))).toBe(true);
    expect(again?.insects).toEqual(first?.insects);
    expect(other?.jpeg.equals(first?.jpeg ?? Buffer.alloc(0))).toBe(false);
  });

  it('makes a JPEG of the asked size, 1920 × 1080 by default', async () => {
    const { jpeg, width, height } = await generateTrapImage();
    const metadata = await sharp(jpeg).metadata();
    expect(metadata.format).toBe('jpeg');
    expect([metadata.width, metadata.height]).toEqual([1920, 1080]);
    expect([width, height]).toEqual([1920, 1080]);
  });

  it('puts 0 to 12 insects inside the image, apart from each other', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { insects, width, height } = await generateTrapImage({ seed });
      expect(insects.length).toBeLessThanOrEqual(12);
      insects.forEach(({ bbox }, i) => {
        expect(Math.min(bbox.x1, bbox.y1)).toBeGreaterThanOrEqual(0);
        expect(bbox.x2).toBeLessThanOrEqual(width);
        expect(bbox.y2).toBeLessThanOrEqual(height);
        for (const other of insects.slice(i + 1)) expect(overlap(bbox, other.bbox)).toBe(0);
      });
    }
  });

  it('tells the truth: the pixels inside a box are darker than those around it', async () => {
    const { jpeg, insects } = await generateTrapImage({ seed: 5, insects: 5 });
    expect(insects.length).toBe(5);
    for (const { bbox } of insects) {
      const region = {
        left: Math.round(bbox.x1),
        top: Math.round(bbox.y1),
        width: Math.round(bbox.x2 - bbox.x1),
        height: Math.round(bbox.y2 - bbox.y1),
      };
      const inside = await sharp(await sharp(jpeg).extract(region).toBuffer())
        .greyscale()
        .stats();
      const beside = await sharp(
        await sharp(jpeg)
          .extract({ ...region, top: Math.max(0, region.top - 12), height: 8 })
          .toBuffer(),
      )
        .greyscale()
        .stats();
      expect(inside.channels[0]?.mean ?? 255).toBeLessThan((beside.channels[0]?.mean ?? 0) - 15);
    }
  });
});
