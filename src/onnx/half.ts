/** Half-precision floats as their bits: Node has no typed array for them before version 24. */

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** Bits of the half nearest to a number, ties to even; beyond 65,504 it is infinity. */
export function toHalf(value: number): number {
  float[0] = value;
  const bits = word[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x33000000) return sign;
  if (magnitude < 0x38800000) {
    // A subnormal: the hidden bit moves into the fraction.
    const shift = 126 - (magnitude >>> 23);
    return sign | rounded((magnitude & 0x7fffff) | 0x800000, shift);
  }
  // A fraction that rounds up to the next power carries into the exponent, which is right.
  return sign | rounded(magnitude - 0x38000000, 13);
}

function rounded(bits: number, shift: number): number {
  const kept = bits >>> shift;
  const rest = bits & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}

/** The number that a half's bits stand for. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let table: Float32Array | undefined;

/** All of an output at once; a table of the 65,536 halves is ten times faster than arithmetic. */
export function halvesToFloats(halves: Uint16Array): Float32Array {
  const known = (table ??= Float32Array.from({ length: 65_536 }, (_, bits) => fromHalf(bits)));
  const floats = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index += 1) floats[index] = known[halves[index] ?? 0] ?? 0;
  return floats;
}
