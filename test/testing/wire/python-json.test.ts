import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { parsePythonJson } from '../../../src/testing/wire/python-json.js';

describe('JSON as Python reads it', () => {
  it.each([
    ['{bad', 'Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'],
    ['{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"],
    ['{"a": 1 "b"}', "Expecting ',' delimiter: line 1 column 9 (char 8)"],
    ['', 'Expecting value: line 1 column 1 (char 0)'],
    ['[1,\n x]', 'Expecting value: line 2 column 2 (char 5)'],
    ['"abc', 'Unterminated string starting at: line 1 column 1 (char 0)'],
    ['"a\nb"', 'Invalid control character at: line 1 column 3 (char 2)'],
    ['"\\q"', 'Invalid \\escape: line 1 column 2 (char 1)'],
    ['{} {}', 'Extra data: line 1 column 4 (char 3)'],
    ['{"batch_size":NaN}', "Out of range float values are not JSON compliant: 'NaN'"],
  ])('complains about %j in its words', (text, error) => {
    expect(parsePythonJson(text)).toMatchObject({ ok: false, error });
  });

  it('reads every valid document, and never throws on any other', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parsePythonJson(text)).toEqual({ ok: true, value: JSON.parse(text) as unknown });
      }),
    );
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 3 }), (text, at, damage) => {
        const cut = at % (text.length + 1);
        expect(typeof parsePythonJson(text.slice(0, cut) + damage + text.slice(cut)).ok).toBe('boolean');
      }),
    );
  });
});
