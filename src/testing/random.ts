/** A seeded source of randomness: the same seed gives the same run. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** `length` characters of `alphabet`. */
  text(length: number, alphabet: string): string;
  /** A version-4 UUID. */
  uuid(): string;
  /** A shuffled copy. */
  shuffle<Item>(items: readonly Item[]): Item[];
}

export const HEX = '0123456789abcdef';
export const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Mulberry32: small, fast and good enough to shuffle tests. Not for secrets outside a test. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const text = (length: number, alphabet: string): string => {
    let out = '';
    for (let index = 0; index < length; index++) out += alphabet.charAt(Math.floor(next() * alphabet.length));
    return out;
  };
  const hex32 = (): string =>
    Math.floor(next() * 4_294_967_296)
      .toString(16)
      .padStart(8, '0');
  return {
    next,
    text,
    uuid() {
      const digits = hex32() + hex32() + hex32() + hex32();
      return [
        digits.slice(0, 8),
        digits.slice(8, 12),
        `4${digits.slice(13, 16)}`,
        `a${digits.slice(17, 20)}`,
        digits.slice(20),
      ].join('-');
    },
    shuffle(items) {
      const out = [...items];
      for (let last = out.length - 1; last > 0; last--) {
        const other = Math.floor(next() * (last + 1));
        const held = out[last];
        const swapped = out[other];
        if (held === undefined || swapped === undefined) continue;
        out[last] = swapped;
        out[other] = held;
      }
      return out;
    },
  };
}
