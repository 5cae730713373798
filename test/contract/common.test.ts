import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  finiteSchema,
  hasKey,
  idSchema,
  numbersSchema,
  openEnum,
  pageSchema,
  shapeOf,
  taskIdSchema,
} from '../../src/contract/common.js';
import { refusal, without } from './refusal.js';
import { page } from './samples.js';

describe('pages', () => {
  const schema = pageSchema(z.looseObject({ id: idSchema }));

  it('keep what a newer server adds to the page and to its items', () => {
    const answer = { ...page, count: 1, results: [{ id: 1, colour: 'brown' }], user_permissions: ['create'] };
    expect(schema.parse(answer)).toEqual(answer);
  });

  it.each(['count', 'next', 'results'] as const)('without `%s` are damage, never an empty list', (key) => {
    expect(refusal(schema, without(page, key))).toContain(key);
  });

  it.each([
    ['an HTML page', '<!doctype html>'],
    ['null', null],
    ['a bare list', []],
    ['an error body', { detail: 'x' }],
  ])('%s is no page', (_title, body) => {
    expect(schema.safeParse(body).success).toBe(false);
  });

  it('name the place of a damaged item', () => {
    expect(refusal(schema, { ...page, results: [{ id: 1 }, {}] })).toContain('results[1].id');
  });

  it('need no `previous`', () => {
    expect(schema.parse(without(page, 'previous')).previous).toBeNull();
  });
});

describe('ids', () => {
  it('are whole numbers in URLs and lists', () => {
    expect(idSchema.parse(18)).toBe(18);
    for (const wrong of ['18', -1, 1.5, Number.NaN, null])
      expect(idSchema.safeParse(wrong).success).toBe(false);
  });

  it('of tasks become text whether they come as text or number, so that they can be compared (T41)', () => {
    expect(taskIdSchema.parse('18')).toBe('18');
    expect(taskIdSchema.parse(18)).toBe('18');
    expect(taskIdSchema.safeParse('').success).toBe(false);
  });
});

describe('numbers', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    '%s is refused before it becomes null on the wire and a 400 for the batch',
    (value) => {
      expect(finiteSchema.safeParse(value).success).toBe(false);
      expect(refusal(numbersSchema, [0.5, value])).toContain('must be an array of finite numbers');
    },
  );

  it('in a list are numbers, not text that looks like one', () => {
    expect(numbersSchema.safeParse(['0.5']).success).toBe(false);
    expect(numbersSchema.safeParse('0.5').success).toBe(false);
    expect(numbersSchema.parse([0, -1, 0.5])).toEqual([0, -1, 0.5]);
  });

  it('may be in any array, also in one of a tensor library', () => {
    for (const list of [Float32Array.of(0.5), Float64Array.of(1), new Uint8Array(2), { length: 1, 0: 3 }, []])
      expect(numbersSchema.safeParse(list).success).toBe(true);
    for (const list of [
      Float32Array.of(0.5, Number.NaN),
      BigInt64Array.of(1n),
      new DataView(new ArrayBuffer(8)),
      new ArrayBuffer(8),
      new Set([1]),
      { length: 2, 0: 3 },
      { length: -1 },
      null,
      () => [],
    ])
      expect(refusal(numbersSchema, list)).toContain('must be an array of finite numbers');
  });

  it('in a list must all be there: a hole would be sent as null', () => {
    const holed = [0.1, 0.2, 0.3];
    Reflect.deleteProperty(holed, 1);
    expect(numbersSchema.safeParse(holed).success).toBe(false);
  });
});

describe('open enums', () => {
  it('accept words that the server learns later', () => {
    expect(openEnum<'STARTED'>().parse('HIBERNATING')).toBe('HIBERNATING');
  });

  it('are still text', () => {
    expect(openEnum<'STARTED'>().safeParse(1).success).toBe(false);
  });
});

describe('a value of several shapes', () => {
  const schema = z.object({
    pet: shapeOf((value): z.ZodType<object> =>
      hasKey(value, 'wings') ? z.strictObject({ wings: z.number() }) : z.strictObject({ legs: z.number() }),
    ),
  });

  it('is checked as the one that it is meant to be, and the message names the field', () => {
    expect(schema.parse({ pet: { wings: 4 } })).toEqual({ pet: { wings: 4 } });
    expect(refusal(schema, { pet: { wings: 'four' } })).toContain('pet.wings');
    expect(refusal(schema, { pet: { leggs: 6 } })).toMatch(/"leggs"[^]*pet\.legs/);
  });

  it('is refused when absent, null or no object', () => {
    for (const value of [{}, { pet: null }, { pet: 'cat' }])
      expect(schema.safeParse(value).success).toBe(false);
  });
});
