const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;

/** Indexes of 32-bit words by rising word; equal ones in their own order. Sorts digit by digit, from the last to the first. */
export function sortedByDigits(words: Uint32Array): Uint32Array {
  let order = new Uint32Array(words.length);
  let next = new Uint32Array(words.length);
  // Not `from` with a function: it goes through an iterator, and takes as long as the sorting.
  for (let index = 0; index < order.length; index += 1) order[index] = index;
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const starts = new Uint32Array(DIGITS + 1);
    for (let index = 0; index < words.length; index += 1) {
      const after = (((words[index] ?? 0) >>> shift) & (DIGITS - 1)) + 1;
      starts[after] = (starts[after] ?? 0) + 1;
    }
    for (let digit = 1; digit < DIGITS; digit += 1)
      starts[digit] = (starts[digit] ?? 0) + (starts[digit - 1] ?? 0);
    for (let at = 0; at < order.length; at += 1) {
      const index = order[at] ?? 0;
      const digit = ((words[index] ?? 0) >>> shift) & (DIGITS - 1);
      const place = starts[digit] ?? 0;
      next[place] = index;
      starts[digit] = place + 1;
    }
    [order, next] = [next, order];
  }
  return order;
}
