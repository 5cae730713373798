import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { detectInsects, ImageDecodeError } from '../../../examples/insect-detector/detect.js';
import { generateTrapImage, type TrapImage } from '../../../examples/insect-detector/trap-images.js';
import { overlap } from './boxes.js';

const seeds = [1, 2, 4, 5, 8, 10, 13];

async function recallOf(image: TrapImage, workingSize: number): Promise<{ found: number; wrong: number }> {
  const { blobs } = await detectInsects(image.jpeg, { workingSize });
  const found = image.insects.filter((insect) => blobs.some(({ bbox }) => overlap(bbox, insect.bbox) > 0.5));
  const wrong = blobs.filter(({ bbox }) => !image.insects.some((insect) => overlap(bbox, insect.bbox) > 0.5));
  return { found: found.length, wrong: wrong.length };
}

/** A plain sheet with shapes on it, lossless, so that every pixel is known. */
async function sheetWith(svgShapes: string, width = 1200, height = 800): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#d8d8d4"/>${svgShapes}</svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

describe('detectInsects on generated images', () => {
  it('finds at least 95 % of the insects and adds at most one box in twenty', async () => {
    let present = 0;
    let found = 0;
    let wrong = 0;
    for (const seed of seeds) {
      const image = await generateTrapImage({ seed });
      const result = await recallOf(image, 2048);
      present += image.insects.length;
      found += result.found;
      wrong += result.wrong;
    }
    expect(present).toBeGreaterThan(35);
    expect(found).toBeGreaterThanOrEqual(0.95 * present);
    expect(wrong).toBeLessThanOrEqual(present / 20);
  });

  it('draws no box on an empty sheet, whatever its light and dirt', async () => {
    for (const seed of [21, 22, 23, 24, 25, 26]) {
      const { jpeg } = await generateTrapImage({ seed, insects: 0 });
      const { blobs } = await detectInsects(jpeg);
      expect(blobs, `seed ${seed}`).toEqual([]);
    }
  });

  it('draws no box on a sheet of one colour, overexposed or dark', async () => {
    for (const background of ['#ffffff', '#808080', '#101010']) {
      const image = await sharp({ create: { width: 640, height: 480, channels: 3, background } })
        .jpeg()
        .toBuffer();
      expect((await detectInsects(image)).blobs).toEqual([]);
    }
  });
});

describe('boxes', () => {
  it('are in pixels of the source image whatever size was decoded', async () => {
    const image = await generateTrapImage({ seed: 31, insects: 6, width: 2400, height: 1350 });
    for (const workingSize of [2400, 1601, 1024]) {
      const { width, height, blobs } = await detectInsects(image.jpeg, { workingSize });
      expect([width, height]).toEqual([2400, 1350]);
      const moths = image.insects.filter(({ kind }) => kind === 'moth' || kind === 'caddisfly');
      expect(moths.length).toBeGreaterThan(0);
      for (const moth of moths) {
        const best = Math.max(...blobs.map(({ bbox }) => overlap(bbox, moth.bbox)));
        expect(best, `working size ${workingSize}`).toBeGreaterThan(0.7);
      }
    }
  });

  it('are in the pixels as stored when the file asks to be shown turned', async () => {
    const upright = await sheetWith('<ellipse cx="300" cy="600" rx="20" ry="45" fill="#332820"/>');
    const turned = await sharp(upright).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { width, height, blobs } = await detectInsects(turned);
    expect([width, height]).toEqual([1200, 800]);
    expect(blobs).toHaveLength(1);
    expect(overlap(blobs[0]?.bbox ?? zeroBox, { x1: 280, y1: 555, x2: 320, y2: 645 })).toBeGreaterThan(0.85);
  });

  it('lie inside the image when an insect is cut by its border', async () => {
    const { blobs } = await detectInsects(
      await sheetWith('<ellipse cx="2" cy="400" rx="40" ry="22" fill="#332820"/>'),
    );
    expect(blobs).toHaveLength(1);
    expect(blobs[0]?.bbox.x1).toBe(0);
    expect(blobs[0]?.touchesBorder).toBe(true);
  });
});

const zeroBox = { x1: 0, y1: 0, x2: 0, y2: 0 };

describe('what is no insect', () => {
  it('ignores screw heads, whole or cut by the border, a frame and a time stamp at the border, and a long cable', async () => {
    const image = await sheetWith(
      '<circle cx="300" cy="300" r="24" fill="#111"/>' +
        '<circle cx="700" cy="790" r="24" fill="#111"/><rect x="0" y="0" width="5" height="500" fill="#111"/>' +
        '<polygon points="900,800 920,793 940,796 960,793 980,800" fill="#111"/>' +
        '<rect x="100" y="500" width="1000" height="14" fill="#222"/>',
    );
    expect((await detectInsects(image)).blobs).toEqual([]);
  });

  it('ignores a scale card: framed, as a filled box; unframed, because its weight lies at its ends', async () => {
    const marks =
      '<rect x="505" y="305" width="24" height="30" fill="#333"/><rect x="641" y="305" width="24" height="30" fill="#333"/>' +
      '<rect x="525" y="315" width="120" height="10" fill="#333"/>';
    const frame = '<path d="M500 300h170v40h-170z" fill="none" stroke="#444" stroke-width="4"/>';
    expect((await detectInsects(await sheetWith(marks))).blobs).toEqual([]);
    expect((await detectInsects(await sheetWith(frame + marks))).blobs).toEqual([]);
  });

  it('counts two insects that touch with their legs as two', async () => {
    const image = await sheetWith(
      '<ellipse cx="400" cy="400" rx="22" ry="45" fill="#332820"/><ellipse cx="520" cy="400" rx="22" ry="45" fill="#332820"/>' +
        '<path d="M400 400H520" stroke="#332820" stroke-width="3"/>',
    );
    expect((await detectInsects(image)).blobs).toHaveLength(2);
  });

  it('counts an insect with a gap in its wing as one', async () => {
    const image = await sheetWith(
      '<ellipse cx="600" cy="400" rx="70" ry="40" fill="#665544"/><rect x="598" y="350" width="3" height="100" fill="#d8d8d4"/>',
    );
    expect((await detectInsects(image)).blobs).toHaveLength(1);
  });
});

describe('bad input', () => {
  it('rejects an empty, a foreign and a truncated file with an error that says what to check', async () => {
    const { jpeg } = await generateTrapImage({ seed: 1, width: 640, height: 360 });
    const files = [new Uint8Array(), Buffer.from('<html>404</html>'), jpeg.subarray(0, jpeg.length >> 1)];
    for (const file of files) {
      const failure = detectInsects(file);
      await expect(failure).rejects.toBeInstanceOf(ImageDecodeError);
      await expect(failure).rejects.toThrow(/Cannot decode the image.*bytes/);
    }
  });

  it('rejects an option that makes no sense, naming it', async () => {
    const { jpeg } = await generateTrapImage({ seed: 1, width: 640, height: 360 });
    await expect(detectInsects(jpeg, { workingSize: 10 })).rejects.toThrow(/workingSize/);
    await expect(detectInsects(jpeg, { minLength: Number.NaN })).rejects.toThrow(/minLength/);
    await expect(detectInsects(jpeg, { minLength: 0.5 })).rejects.toThrow(/minLength .* below maxLength/);
  });

  it('reads grey, transparent and 16-bit images like any other', async () => {
    const rgb = await sheetWith('<ellipse cx="300" cy="300" rx="20" ry="45" fill="#332820"/>');
    const files = [
      await sharp(rgb).toColourspace('b-w').png().toBuffer(),
      await sharp(rgb).ensureAlpha(1).png().toBuffer(),
      await sharp(rgb).toColourspace('rgb16').png().toBuffer(),
      await sharp(rgb).toColourspace('cmyk').jpeg().toBuffer(),
    ];
    for (const file of files) expect((await detectInsects(file)).blobs).toHaveLength(1);
  });
});
