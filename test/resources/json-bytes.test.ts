import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonBytes, textBytes } from '../../src/resources/json-bytes.js';

const sameAsJson = (value: object): void => {
  expect(jsonBytes(value).toString()).toBe(JSON.stringify(value));
};

describe('jsonBytes', () => {
  it('gives the bytes of JSON.stringify for any plain data', () => {
    fc.assert(fc.property(fc.oneof(fc.object({ maxDepth: 5 }), fc.array(fc.jsonValue())), sameAsJson));
  });

  it('keeps what JSON.stringify does with values that JSON has not', () => {
    const nothing = undefined;
    sameAsJson({
      a: nothing,
      b: [nothing, Symbol('s'), () => 1, Number.NaN, -0],
      c: Number.POSITIVE_INFINITY,
    });
    sameAsJson({ when: new Date(0), deep: { when: [new Date(1)] }, map: new Map([[1, 2]]) });
    sameAsJson([
      Object.create(null),
      new (class Point {
        x = 1;
        toJSON = (): string => 'a point';
      })(),
    ]);
    sameAsJson({ 'quote"': { 'é\u2028': ['\ud800', '😀', 'ÿ', 'Ā'] }, empty: [{}, []] });
  });

  it('writes every script right, also in pieces larger than its scratch memory', () => {
    for (const sign of ['a', 'é', 'Ā', '語', '😀']) {
      const text = sign.repeat(300_000);
      sameAsJson({ result: { detections: [{ text }, { text: text.slice(0, 70_000) }] } });
      expect(textBytes(text).toString()).toBe(text);
    }
  });

  it('hands out memory of its own: a later call changes nothing of it', () => {
    const first = textBytes('first');
    textBytes('other');
    expect(first.toString()).toBe('first');
    expect(jsonBytes({ a: 1 }).buffer).not.toBe(textBytes('x'.repeat(90_000)).buffer);
  });
});
