import sharp from 'sharp';
import {
  drawInsect,
  INSECT_KINDS,
  KIND_LENGTHS,
  type DrawnInsect,
  type InsectKind,
} from './insect-shapes.js';
import { between, integerBetween, seededRandom, type Random } from './random.js';
import type { Box } from './types.js';

/** Settings of a generated image. */
export interface TrapImageOptions {
  /** The same seed (and size) gives the same image. Default 1. */
  seed?: number;
  /** Width in pixels. Default 1920. */
  width?: number;
  /** Height in pixels. Default 1080. */
  height?: number;
  /** How many insects sit on the sheet; by default a number from 0 to 12 that the seed decides. */
  insects?: number;
}

/** A generated image and what is on it. */
export interface TrapImage {
  jpeg: Buffer;
  width: number;
  height: number;
  /** Where the insects are, legs and antennae included, in pixels. */
  insects: { bbox: Box; kind: InsectKind }[];
}

/** Attempts to find a free place for an insect before it is left out. */
const MAX_PLACEMENT_ATTEMPTS = 60;

/**
 * Makes an image like one of a light trap: a lit sheet with vignetting, sensor noise and specks of dirt, and insects that do not
 * touch each other or the border. For demonstrations and tests without photographs; a real sheet is dirtier.
 */
export async function generateTrapImage(options: TrapImageOptions = {}): Promise<TrapImage> {
  const { seed = 1, width = 1920, height = 1080 } = options;
  const random = seededRandom(seed);
  const sheet = paintSheet(width, height, random);
  const count = options.insects ?? integerBetween(random, 0, 12);
  const placed = placeInsects(count, width, height, random);
  const overlay =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `${paintDirt(width, height, random)}${placed.map(({ svg }) => svg).join('')}</svg>`;
  const jpeg = await sharp(sheet, { raw: { width, height, channels: 3 } })
    .composite([{ input: Buffer.from(overlay) }])
    .jpeg({ quality: 88 })
    .toBuffer();
  return { jpeg, width, height, insects: placed.map(({ bbox, kind }) => ({ bbox, kind })) };
}

/** Fills the image with the sheet: a lamp's bright spot somewhere near the middle, falling off to the corners, and noise. */
function paintSheet(width: number, height: number, random: Random): Uint8Array {
  const data = new Uint8Array(width * height * 3);
  const lampX = width * between(random, 0.35, 0.65);
  const lampY = height * between(random, 0.3, 0.7);
  const brightness = between(random, 205, 235);
  const falloff = between(random, 0.25, 0.5) / (width * width * 0.25 + height * height * 0.25);
  const tint = [between(random, 0.96, 1), 1, between(random, 0.94, 1.02)];
  const noise = noiseTable(random, between(random, 2, 4));
  for (let y = 0; y < height; y += 1) {
    // Reading a table from a random place per row is far cheaper than 6 million random numbers, and looks the same.
    const start = Math.floor(random() * noise.length);
    for (let x = 0; x < width; x += 1) {
      const light = brightness / (1 + falloff * ((x - lampX) ** 2 + (y - lampY) ** 2));
      for (let channel = 0; channel < 3; channel += 1) {
        const grain = noise[(start + 3 * x + channel) % noise.length] ?? 0;
        data[(y * width + x) * 3 + channel] = Math.max(
          0,
          Math.min(255, light * (tint[channel] ?? 1) + grain),
        );
      }
    }
  }
  return data;
}

/** Roughly normal noise: the sum of four uniform numbers. */
function noiseTable(random: Random, sigma: number): Float32Array {
  return new Float32Array(65_521).map(
    () => (random() + random() + random() + random() - 2) * sigma * Math.sqrt(3),
  );
}

/** Specks of dirt, too small to be insects. */
function paintDirt(width: number, height: number, random: Random): string {
  const largest = Math.max(width, height) * 0.001;
  return Array.from({ length: integerBetween(random, 10, 40) }, () => {
    const x = random() * width;
    const y = random() * height;
    const radius = largest * between(random, 0.3, 1);
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius.toFixed(2)}" fill="#4a443c" fill-opacity="0.7"/>`;
  }).join('');
}

function placeInsects(
  count: number,
  width: number,
  height: number,
  random: Random,
): (DrawnInsect & { kind: InsectKind })[] {
  const placed: (DrawnInsect & { kind: InsectKind })[] = [];
  const longSide = Math.max(width, height);
  for (let i = 0; i < count; i += 1) {
    for (let attempt = 0; attempt < MAX_PLACEMENT_ATTEMPTS; attempt += 1) {
      const kind = INSECT_KINDS[integerBetween(random, 0, INSECT_KINDS.length - 1)] ?? 'moth';
      const [shortest, longest] = KIND_LENGTHS[kind];
      const length = longSide * between(random, shortest, longest);
      const place = {
        x: between(random, length, width - length),
        y: between(random, length, height - length),
        length,
        angle: between(random, 0, 2 * Math.PI),
      };
      // Far enough apart that antennae and legs do not meet.
      const isFree = placed.every(({ bbox }) => isApart(bbox, place, length * 0.7 + longSide * 0.02));
      if (!isFree) continue;
      placed.push({ ...drawInsect(kind, place, random), kind });
      break;
    }
  }
  return placed;
}

function isApart(box: Box, { x, y }: { x: number; y: number }, distance: number): boolean {
  return x < box.x1 - distance || x > box.x2 + distance || y < box.y1 - distance || y > box.y2 + distance;
}
