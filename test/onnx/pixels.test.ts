import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHalf, halvesToFloats, toHalf } from '../../src/onnx/half.js';
import {
  inputArray,
  inputBytes,
  InputWriter,
  NORMALISATIONS,
  type InputFormat,
} from '../../src/onnx/pixels.js';

const format: InputFormat = {
  width: 4,
  height: 3,
  type: 'float32',
  layout: 'nchw',
  channels: 'rgb',
  normalisation: NORMALISATIONS.unit,
  padding: 114,
};

const arbitraryFormat = fc.record({
  width: fc.integer({ min: 1, max: 9 }),
  height: fc.integer({ min: 1, max: 9 }),
  type: fc.constantFrom('float32' as const, 'float16' as const, 'uint8' as const),
  layout: fc.constantFrom('nchw' as const, 'nhwc' as const),
  channels: fc.constantFrom('rgb' as const, 'bgr' as const),
  normalisation: fc.constantFrom(...Object.values(NORMALISATIONS)),
  padding: fc.integer({ min: 0, max: 255 }),
});

/** One element by its definition. */
function expected(f: InputFormat, byte: number, channel: 0 | 1 | 2): number {
  const { scale, mean, std } = f.normalisation;
  return f.type === 'uint8' ? byte : (byte * scale - mean[channel]) / std[channel];
}

describe('the input of a model', () => {
  it('holds every pixel at its place and channel, and padding around, for any window', () => {
    fc.assert(
      fc.property(
        arbitraryFormat,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: -6, max: 6 }),
        fc.integer({ min: -6, max: 6 }),
        (f, width, height, x, y) => {
          const data = Uint8Array.from({ length: width * height * 3 }, (_, index) => (index * 37 + 11) % 256);
          const target = inputArray(f, 2);
          new InputWriter(f).write(target, 1, { data, width, height }, { x, y });
          for (let row = 0; row < f.height; row += 1)
            for (let column = 0; column < f.width; column += 1)
              for (const channel of [0, 1, 2] as const) {
                const inside = column + x >= 0 && column + x < width && row + y >= 0 && row + y < height;
                const byteOfPixel = f.channels === 'rgb' ? channel : 2 - channel;
                const byte = inside ? data[((row + y) * width + column + x) * 3 + byteOfPixel] : f.padding;
                const pixel = row * f.width + column;
                const plane = f.width * f.height;
                const at = 3 * plane + (f.layout === 'nchw' ? channel * plane + pixel : pixel * 3 + channel);
                const got = f.type === 'float16' ? fromHalf(target[at] ?? 0) : target[at];
                expect(got).toBeCloseTo(
                  expected(f, byte ?? 0, channel),
                  f.type === 'float16' && f.normalisation.scale === 1 ? 0 : 2,
                );
              }
        },
      ),
    );
  });

  it('has ImageNet values as published: mid grey is 0.0741, 0.2052 and 0.4265', () => {
    const f = { ...format, width: 1, height: 1, normalisation: NORMALISATIONS.imagenet };
    const target = inputArray(f, 1);
    new InputWriter(f).write(
      target,
      0,
      { data: Uint8Array.of(128, 128, 128), width: 1, height: 1 },
      { x: 0, y: 0 },
    );
    expect([...target].map((value) => Number(value.toFixed(4)))).toEqual([0.0741, 0.2052, 0.4265]);
  });

  it('takes four, two or one byte an element', () => {
    expect(inputBytes({ width: 640, height: 640, type: 'float32' })).toBe(4_915_200);
    expect(inputBytes({ width: 640, height: 640, type: 'float16' })).toBe(2_457_600);
    expect(inputBytes({ width: 640, height: 640, type: 'uint8' })).toBe(1_228_800);
  });
});

describe('halves', () => {
  it('come back as they went, all 63,488 numbers of them', () => {
    for (let bits = 0; bits < 65_536; bits += 1) {
      const value = fromHalf(bits);
      if (Number.isNaN(value)) expect(Number.isNaN(fromHalf(toHalf(value)))).toBe(true);
      else expect(toHalf(value)).toBe(bits);
    }
  });

  it('are the nearest to a number', () => {
    fc.assert(
      fc.property(fc.double({ min: -65_000, max: 65_000, noNaN: true }), (value) => {
        const bits = toHalf(value);
        const error = Math.abs(fromHalf(bits) - Math.fround(value));
        for (const neighbour of [bits - 1, bits + 1])
          if (neighbour >= 0 && neighbour < 65_536 && Number.isFinite(fromHalf(neighbour)))
            expect(error).toBeLessThanOrEqual(Math.abs(fromHalf(neighbour) - Math.fround(value)));
      }),
    );
  });

  it('become floats all at once: 1, -2, the smallest, the largest, infinity', () => {
    expect([...halvesToFloats(Uint16Array.of(0x3c00, 0xc000, 1, 0x7bff, 0x7c00))]).toEqual([
      1,
      -2,
      2 ** -24,
      65_504,
      Infinity,
    ]);
  });
});
