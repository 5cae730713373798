import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainNumbers, shortestFloat32 } from '../../src/resources/float32.js';

const { fround } = Math;
const HIGHEST = (2 - 2 ** -23) * 2 ** 127;
const LOWEST = 2 ** -149;

const bits = new Uint32Array(1);
const floats = new Float32Array(bits.buffer);
/** The float32 of a bit pattern; every one is possible. */
const ofBits = (pattern: number): number => {
  bits[0] = pattern;
  return floats[0] ?? Number.NaN;
};
const finite = fc.integer({ min: 0, max: 0xffff_ffff }).map(ofBits).filter(Number.isFinite);
/** Where the scores of a model are. */
const score = fc.double({ min: 0, max: 1, noNaN: true }).map(fround);

const written = (value: number): string => JSON.stringify(shortestFloat32(value));
const digitsOf = (value: number): number =>
  value
    .toExponential()
    .replace(/e.*/, '')
    .replace(/[^0-9]/g, '').length;

/** Whether any decimal of so many digits means this float32: the nearest, or one of its neighbours. */
function someMeans(value: number, digits: number): boolean {
  const [mantissa = '', exponent = ''] = value.toExponential(digits - 1).split('e');
  const whole = Number(mantissa.replace('.', ''));
  return [-1, 0, 1].some(
    (step) => fround(Number(`${whole + step}e${Number(exponent) - (digits - 1)}`)) === value,
  );
}

function check(value: number): void {
  const short = shortestFloat32(value);
  expect(fround(short)).toBe(value);
  expect(fround(Number(written(value)))).toBe(value === 0 ? 0 : value);
  expect(written(value).length).toBeLessThanOrEqual(JSON.stringify(value).length);
  const digits = digitsOf(short);
  if (!Number.isInteger(value)) expect(digits).toBeLessThanOrEqual(9);
  // Whole numbers are written in full, with zeros for digits that do not tell.
  if (digits > 1 && !(Number.isInteger(value) && Math.abs(value) < 1e21))
    expect(someMeans(value, digits - 1)).toBe(false);
}

describe('a float32 in JSON', () => {
  it.each([
    [fround(0.1), '0.1'],
    [fround(0.3), '0.3'],
    [fround(1 / 3), '0.33333334'],
    [fround(-123.456), '-123.456'],
    [fround(1e-7), '1e-7'],
    [fround(3.4e38), '3.4e+38'],
    [16_777_216, '16777216'],
    [0, '0'],
    [-0, '0'],
    [LOWEST, '1e-45'],
    [2 ** -126, '1.1754944e-38'],
    [HIGHEST, '3.4028235e+38'],
    [fround(9.999999e-7), '9.999999e-7'],
  ])('%s is written as %s', (value, text) => {
    expect(written(value)).toBe(text);
    check(value);
  });

  it('means the same float32 in the fewest digits, and is never longer than the double, for any bit pattern', () => {
    fc.assert(fc.property(finite, check), { numRuns: 3_000 });
  });

  it('does so for scores', () => {
    fc.assert(fc.property(score, check), { numRuns: 3_000 });
  });

  it('does so for every power of two and its neighbours, subnormals included', () => {
    for (let exponent = -149; exponent <= 127; exponent++) {
      const pattern = exponent < -126 ? 1 << (exponent + 149) : (exponent + 127) << 23;
      for (const near of [pattern - 1, pattern, pattern + 1]) if (near > 0) check(ofBits(near));
      check(-ofBits(pattern));
    }
  });

  it('does so around every power of ten', () => {
    for (let exponent = -45; exponent <= 38; exponent++) {
      const value = fround(Number(`1e${exponent}`));
      floats[0] = value;
      const pattern = bits[0] ?? 0;
      for (const near of [pattern - 2, pattern - 1, pattern, pattern + 1, pattern + 2])
        if (near > 0) check(ofBits(near));
    }
  });

  it('does so for all subnormals and the smallest normals, sampled', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 0x0180_0000 }).map(ofBits), check));
  });
});

describe('numbers of any array', () => {
  it('are the array itself, or its values', () => {
    const array = [0.1, 2];
    expect(plainNumbers(array)).toBe(array);
    expect(plainNumbers(Float64Array.of(0.1, fround(0.1)))).toEqual([0.1, fround(0.1)]);
    expect(plainNumbers(Float32Array.of(0.1, -2))).toEqual([0.1, -2]);
    expect(plainNumbers(Uint8Array.of(7))).toEqual([7]);
    expect(plainNumbers({ length: 2, 0: 5, 1: 6 })).toEqual([5, 6]);
  });

  it('may come from another realm', () => {
    const foreign = runInNewContext('Float32Array.of(0.1)') as Float32Array;
    expect(foreign).not.toBeInstanceOf(Float32Array);
    expect(plainNumbers(foreign)).toEqual([0.1]);
  });
});
