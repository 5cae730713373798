import { deflateSync } from 'node:zlib';
import { assertLike, assertObject } from '../options.js';
import { createRandom, type Random } from '../random.js';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const TRUECOLOUR = 2;
const CHANNELS = 3;

const crcTable = Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/**
 * Encodes pixels as a PNG.
 * @param rgb - `width * height * 3` bytes, row by row.
 */
function encodePng(width: number, height: number, rgb: Uint8Array): Buffer {
  const stride = width * CHANNELS;
  const rows = Buffer.alloc((stride + 1) * height);
  for (let row = 0; row < height; row++) {
    // A zero before each row: no filter.
    rows.set(rgb.subarray(row * stride, (row + 1) * stride), row * (stride + 1) + 1);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, TRUECOLOUR, 0, 0, 0], 8);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 1 })),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

/** A picture to draw. */
export interface GeneratedImageOptions {
  /** Default 320. */
  readonly width?: number;
  /** Default 240. */
  readonly height?: number;
  /** Dark spots on the pale sheet. Default 3. */
  readonly insects?: number;
  /** Same seed, same picture. Default 1. */
  readonly seed?: number;
}

/** Where a spot was drawn, in pixels: what a detector should find. */
export interface DrawnInsect {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** A generated image and what is on it. */
export interface GeneratedImage {
  /** PNG bytes. */
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
  readonly insects: readonly DrawnInsect[];
}

const SHEET = 226;
const NOISE = 10;
const INSECT = 60;

/**
 * Draws a trap's white sheet with some noise and dark, oval, never overlapping spots.
 * @throws TypeError naming the option that cannot be used.
 */
export function generateImage(options: GeneratedImageOptions = {}): GeneratedImage {
  assertObject(options, 'generateImage');
  assertLike({ width: 320, height: 240, insects: 3, seed: 1 }, options);
  const { width = 320, height = 240, insects = 3, seed = 1 } = options;
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1)
    throw new TypeError(`width and height must be whole numbers from 1, got ${width} and ${height}.`);
  const random = createRandom(seed);
  const rgb = new Uint8Array(width * height * 3);
  for (let at = 0; at < rgb.length; at += 3) rgb.fill(SHEET + Math.floor(random.next() * NOISE), at, at + 3);
  const drawn: DrawnInsect[] = [];
  for (let tries = 0; drawn.length < insects && tries < insects * 50; tries++) {
    const box = randomBox(random, width, height);
    if (!drawn.some((other) => overlaps(other, box))) {
      drawOval(rgb, width, box, random);
      drawn.push(box);
    }
  }
  return { bytes: encodePng(width, height, rgb), width, height, insects: drawn };
}

function randomBox(random: Random, width: number, height: number): DrawnInsect {
  const size = Math.max(4, Math.floor(Math.min(width, height) * (0.08 + random.next() * 0.08)));
  const x1 = Math.floor(random.next() * Math.max(1, width - size * 1.5));
  const y1 = Math.floor(random.next() * Math.max(1, height - size));
  return { x1, y1, x2: Math.min(width, x1 + Math.floor(size * 1.5)), y2: Math.min(height, y1 + size) };
}

function overlaps(a: DrawnInsect, b: DrawnInsect): boolean {
  const gap = 4;
  return a.x1 < b.x2 + gap && b.x1 < a.x2 + gap && a.y1 < b.y2 + gap && b.y1 < a.y2 + gap;
}

function drawOval(rgb: Uint8Array, width: number, box: DrawnInsect, random: Random): void {
  const [radiusX, radiusY] = [(box.x2 - box.x1) / 2, (box.y2 - box.y1) / 2];
  for (let y = box.y1; y < box.y2; y++) {
    for (let x = box.x1; x < box.x2; x++) {
      const distance =
        ((x + 0.5 - box.x1 - radiusX) / radiusX) ** 2 + ((y + 0.5 - box.y1 - radiusY) / radiusY) ** 2;
      if (distance > 1) continue;
      const at = (y * width + x) * 3;
      rgb.fill(INSECT + Math.floor(random.next() * NOISE), at, at + 3);
    }
  }
}
