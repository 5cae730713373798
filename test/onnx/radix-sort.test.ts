import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortedByDigits } from '../../src/onnx/radix-sort.js';

describe('sorting by digits', () => {
  it('gives what comparing gives, equal words in their own order', () => {
    // Few distinct words, so that equal ones come about, and some of all sizes.
    const word = fc.oneof(fc.nat({ max: 4 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 200 }), (words) => {
        const compared = words.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
        expect([...sortedByDigits(Uint32Array.from(words))]).toEqual(compared.map(({ index }) => index));
      }),
    );
  });
});
