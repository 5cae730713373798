import { describe, expect, it } from 'vitest';
import {
  boolean,
  datetime,
  float,
  integer,
  readSchema,
  text,
} from '../../../src/testing/validate/pydantic.js';
import type { Reader } from '../../../src/testing/validate/pydantic.js';
import { postedResults } from '../../../src/testing/validate/result-schema.js';

const accepts = (reader: Reader<unknown>, value: unknown): boolean =>
  'value' in readSchema(reader, [value].at(0));

describe('coercions of the real server (contract §7.1)', () => {
  it.each([
    ['text', text, [5, true], [null, [], {}]],
    ['integer', integer, [1.7, true], [null, []]],
    ['float', float, [1, true], [null, {}]],
    ['boolean', boolean, [1, 0, true], [2, null, []]],
  ] as const)('%s', (_, reader, good, bad) => {
    for (const value of good) expect(accepts(reader, value), JSON.stringify(value)).toBe(true);
    for (const value of bad) expect(accepts(reader, value), JSON.stringify(value)).toBe(false);
  });

  it('writes booleans as Python does, and cuts fractions', () => {
    expect(readSchema(text, true)).toEqual({ value: 'True' });
    expect(readSchema(integer, 1.7)).toEqual({ value: 1 });
  });

  const inList = (timestamp: unknown): unknown => ({
    reply_subject: 's',
    result: {
      pipeline: 'p',
      total_time: 1,
      source_images: [],
      detections: [{ source_image_id: 1, algorithm: { name: 'n', key: 'k' }, timestamp }],
    },
  });

  it.each([
    '2026-01-01T00:00',
    '2026-01-01 00:00:00.123456789Z',
    '2026-01-01T00:00:00+0200',
    '1767225600',
    1767225600,
  ])('takes %s for a time', (timestamp) => {
    expect('value' in readSchema(postedResults, [inList(timestamp)])).toBe(true);
  });

  it.each([
    '2026-01-01',
    '20260101T000000',
    'Thu, 01 Jan 2026 00:00:00 GMT',
    '',
    '2026-02-30T00:00:00',
    '2026-01-01T00:00:00z',
  ])('refuses %j as a time', (timestamp) => {
    expect(readSchema(postedResults, [inList(timestamp)])).toMatchObject({
      errors: [
        { loc: ['__root__', '0', 'result', 'detections', '0', 'timestamp'], type: 'value_error.datetime' },
        { loc: ['__root__', '0', 'result', 'error'], msg: 'field required' },
      ],
    });
  });

  it('reads a text that holds JSON, and quotes Python’s complaint when it does not', () => {
    expect(readSchema(postedResults, '[]')).toEqual({ value: [] });
    expect(readSchema(datetime, '[1')).toMatchObject({
      errors: [{ msg: "Expecting ',' delimiter: line 1 column 3 (char 2)", ctx: { pos: '2', doc: '[1' } }],
    });
  });
});
