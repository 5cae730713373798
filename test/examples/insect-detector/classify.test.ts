import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATEGORY_MAP, classifyBlob, LABELS, softmax } from '../../../examples/insect-detector/classify.js';

const features = fc.record({
  relativeLength: fc.double({ min: 1e-4, max: 1, noNaN: true }),
  elongation: fc.double({ min: 1, max: 50, noNaN: true }),
  solidity: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('classifyBlob', () => {
  it('gives every silhouette one score per label, summing to 1, with the label at the highest', () => {
    fc.assert(
      fc.property(features, (blob) => {
        const { scores, logits, label, index, score } = classifyBlob(blob);
        expect(scores).toHaveLength(LABELS.length);
        expect(logits).toHaveLength(LABELS.length);
        expect(scores.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
        expect(score).toBe(Math.max(...scores));
        expect(LABELS[index]).toBe(label);
        expect(scores[index]).toBe(score);
      }),
    );
  });

  it.each([
    ['Arthropoda (tiny)', { relativeLength: 0.006, elongation: 2, solidity: 0.9 }],
    ['Arthropoda (small, compact)', { relativeLength: 0.016, elongation: 1.4, solidity: 0.94 }],
    ['Arthropoda (slender)', { relativeLength: 0.03, elongation: 3.6, solidity: 0.93 }],
    ['Arthropoda (sprawling)', { relativeLength: 0.035, elongation: 1.5, solidity: 0.5 }],
    ['Arthropoda (medium, broad)', { relativeLength: 0.045, elongation: 1.6, solidity: 0.86 }],
    ['Arthropoda (large, broad)', { relativeLength: 0.12, elongation: 1.9, solidity: 0.85 }],
  ])('calls a typical silhouette %s', (label, blob) => {
    expect(classifyBlob(blob).label).toBe(label);
  });
});

describe('softmax', () => {
  it('stays finite for logits that would underflow', () => {
    expect(softmax([-10_000, -10_001])).toEqual([expect.closeTo(0.731, 3), expect.closeTo(0.269, 3)]);
  });
});

describe('CATEGORY_MAP', () => {
  it('lists every label at the position of its score, with names that the server can store', () => {
    expect(CATEGORY_MAP.data.map(({ label }) => label)).toEqual(LABELS);
    expect(CATEGORY_MAP.data.map(({ index }) => index)).toEqual(LABELS.map((_, i) => i));
    expect(CATEGORY_MAP.labels).toEqual(LABELS);
    expect(new Set(LABELS).size).toBe(LABELS.length);
    for (const label of LABELS) expect(label.length).toBeLessThanOrEqual(255);
  });
});
