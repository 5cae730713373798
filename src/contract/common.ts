import { z } from 'zod';

/**
 * A closed list of known words that stays open: the server may add one at any time, and a worker that dies of a new
 * status would be worse than one that does not know it.
 */
export type Open<Known extends string> = Known | (string & Record<never, never>);

/** Schema of an {@link Open} enum: any string passes, known words autocomplete. By type alone: a bundle needs no list of the words. */
export function openEnum<Known extends string>(): z.ZodType<Open<Known>, string> {
  return z.string();
}

const ESSENTIAL = new WeakSet<z.core.$ZodType>();

/**
 * A field that may be missing, and must be right when it is there: going on without it would be wrong, not merely less. An item in
 * which it is damaged is left out as a whole.
 */
export function essential<Schema extends z.ZodType>(schema: Schema): Schema {
  ESSENTIAL.add(schema);
  return schema;
}

/** True for what {@link essential} marked. */
export function isEssential(schema: z.core.$ZodType): boolean {
  return ESSENTIAL.has(schema);
}

/** How many tasks are asked for at once; the server sets no maximum. */
export const batchSizeSchema = z.int().min(1);

/** Database id in URLs and most bodies. */
export const idSchema = z.int().nonnegative();

/**
 * Id as tasks and results carry it: a string, although the same capture has an integer id everywhere else (trap T41).
 * A number is accepted and turned into text so that comparing ids never depends on which call they came from.
 */
export const taskIdSchema = z.union([z.string().min(1), z.int().transform(String)]);

/** One page of a list (contract §1.4). */
export interface Page<Item> {
  count: number;
  next: string | null;
  previous: string | null;
  results: Item[];
  [key: string]: unknown;
}

/**
 * Schema of one page. `count`, `next` and `results` are required: an HTML page, a truncated answer or another service's
 * JSON must never pass for an empty list.
 */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.looseObject({
    count: z.int().nonnegative(),
    next: z.string().nullable(),
    previous: z.string().nullable().default(null),
    results: z.array(item),
  });
}

/** Finite numbers only: `JSON.stringify` turns NaN and Infinity into `null`, which the server answers with 400. */
export const finiteSchema = z.number();

/**
 * An array of finite numbers, or a typed array of them as tensor libraries give it, checked in one loop. A result may hold 200,000 scores,
 * where a schema per element costs more than encoding the whole result.
 */
export const numbersSchema = z.custom<ArrayLike<number>>(isNumbers, {
  error: 'must be an array of finite numbers',
});

/** Whether a value is an array or something like it, of finite numbers and nothing else. */
export function isNumbers(value: unknown): value is ArrayLike<number> {
  if (typeof value !== 'object' || value === null) return false;
  const { length } = value as ArrayLike<unknown>;
  if (!Number.isInteger(length) || length < 0) return false;
  return areFinite(value as ArrayLike<unknown>);
}

function areFinite(value: ArrayLike<unknown>): boolean {
  // By index: `every` skips the holes of a sparse array, which JSON writes as null, and an iterator takes three times as long.
  for (let index = 0; index < value.length; index++) {
    const element: unknown = value[index];
    // NaN and the infinities are the numbers whose difference from themselves is not zero.
    if (typeof element !== 'number' || element - element !== 0) return false;
  }
  return true;
}

/** A JSON object with any content. */
export const jsonObjectSchema = z.record(z.string(), z.unknown());

/**
 * A value of one of several shapes, told apart by a look at it. `z.union` would try each and, when none fits, say no more
 * than "Invalid input"; whoever misspelt a field or forgot one is told its name this way.
 *
 * @param choose - picks the schema that the value is meant for; it sees unchecked input.
 */
export function shapeOf<Output, Input>(choose: (value: unknown) => z.ZodType<Output, Input>) {
  return z.custom<Input>().transform((value, context): Output => {
    const parsed = choose(value).safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) context.addIssue({ ...issue });
    return z.NEVER;
  });
}

/** True if the value is an object that has the key. */
export function hasKey(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && key in value;
}
