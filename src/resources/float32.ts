/** Powers of ten that a double holds exactly; a quotient of two such numbers is the double that the decimal means. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Digits that tell any float32 from its neighbours. */
const MAX_DIGITS = 9;
/** Digits with which the search begins: three of four values between 0 and 1 need no more. */
const FIRST_DIGITS = 8;
/** From here on JSON shows numbers with an exponent; below, whole ones with all their digits, however few of them tell. */
const FIRST_WITH_EXPONENT = 1e21;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** By biased exponent: the power of ten at or below the values that have it. */
const DECADES = Int8Array.from({ length: 256 }, (_, biased) => Math.floor((biased - 127) * Math.log10(2)));

/**
 * The double with the fewest decimal digits among those that are nearest to this float32 and no other, so that JSON shows `0.1` and not
 * `0.10000000149011612`. A network's scores are float32; written as the doubles that they are exactly, they take twice the bytes, and say no
 * more.
 *
 * Own code because no package in upkeep does it: those that format floats format doubles. The rounding is that of `Math.fround`, by which
 * whoever reads JSON comes to a float32 again.
 *
 * @param value - a finite float32.
 */
export function shortestFloat32(value: number): number {
  const size = Math.abs(value);
  if (size < FIRST_WITH_EXPONENT && Number.isInteger(value)) return value;
  float[0] = size;
  const pattern = bits[0] ?? 0;
  const biased = pattern >>> 23;
  let scale = FIRST_DIGITS - 1 - (DECADES[biased] ?? 0);
  // At a power of two the next float32 below is nearer than the one above, so the nearest decimal is not always the best.
  if ((pattern & 0x7fffff) === 0 || biased === 0 || scale < 1 || scale >= POWERS.length - 1)
    return searched(value);
  if (size * power(scale) >= 10 ** FIRST_DIGITS) scale -= 1;
  let best = rounded(size, scale);
  if (Math.fround(best) !== size) {
    best = rounded(size, scale + 1);
    if (Math.fround(best) !== size) return searched(value);
  } else {
    while (scale > 0) {
      scale -= 1;
      const shorter = rounded(size, scale);
      if (Math.fround(shorter) !== size) break;
      best = shorter;
    }
  }
  return value < 0 ? -best : best;
}

/** To so many places after the point. */
function rounded(size: number, places: number): number {
  return Math.round(size * power(places)) / power(places);
}

function power(exponent: number): number {
  return POWERS[exponent] ?? Number.NaN;
}

/** The same by trying, some ten times slower: for the ends of the range, subnormals and powers of two. */
function searched(value: number): number {
  for (let digits = 1; digits < MAX_DIGITS; digits++) {
    const text = value.toExponential(digits - 1);
    const nearest = Number(text);
    if (Math.fround(nearest) === value) return nearest;
    const above = Number(nextAway(text));
    if (Math.fround(above) === value) return above;
  }
  return Number(value.toPrecision(MAX_DIGITS));
}

/** The decimal with one more in its last digit: `1.2e-7` becomes `1.3e-7`. */
function nextAway(text: string): string {
  const [digits = '', exponent = ''] = text.split('e');
  const places = digits.split('.')[1]?.length ?? 0;
  const sign = digits.startsWith('-') ? '-' : '';
  const whole = Number(digits.replace('-', '').replace('.', '')) + 1;
  return `${sign}${whole}e${Number(exponent) - places}`;
}

/** Numbers as JSON takes them: an array as it is, of a typed array its values, float32 in their shortest form. */
export function plainNumbers(numbers: ArrayLike<number>): readonly number[] {
  if (Array.isArray(numbers)) return numbers as number[];
  // By its tag: an array from another realm is no instance of this one's class.
  const isFloat32 = Object.prototype.toString.call(numbers) === '[object Float32Array]';
  const plain: number[] = [];
  for (let index = 0; index < numbers.length; index++) {
    const value = numbers[index] ?? Number.NaN;
    plain.push(isFloat32 ? shortestFloat32(value) : value);
  }
  return plain;
}
