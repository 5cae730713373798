import { parsePythonJson } from '../wire/python-json.js';

/** One entry of a pydantic 1.10 error list as the server shows it: every scalar is a string (contract §1.5). */
export interface SchemaError {
  readonly loc: readonly string[];
  readonly msg: string;
  readonly type: string;
  readonly ctx?: Readonly<Record<string, string>>;
}

/** A place in the document, kept as a linked list because it is only spelled out when something is wrong. */
interface Place {
  readonly parent: Place | undefined;
  readonly key: string | number;
}

const ROOT: Place = { parent: undefined, key: '__root__' };

/** Returned instead of a value when an error was added. */
export const INVALID: unique symbol = Symbol('invalid');

/** Reads a value, coercing it as pydantic does; adds to `errors` and returns INVALID when it cannot. */
export type Reader<Value> = (value: unknown, place: Place, errors: SchemaError[]) => Value | typeof INVALID;

function fail(errors: SchemaError[], place: Place, msg: string, type: string): typeof INVALID {
  errors.push({ loc: spell(place), msg, type });
  return INVALID;
}

function spell(place: Place): string[] {
  const loc: string[] = [];
  for (let at: Place | undefined = place; at; at = at.parent) loc.unshift(String(at.key));
  return loc;
}

function notAllowed(errors: SchemaError[], place: Place): typeof INVALID {
  return fail(errors, place, 'none is not an allowed value', 'type_error.none.not_allowed');
}

/** Text; numbers and booleans become text, as `str()` writes them in Python. */
export const text: Reader<string> = (value, place, errors) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value === null) return notAllowed(errors, place);
  return fail(errors, place, 'str type expected', 'type_error.str');
};

const NUMERIC_TEXT = /^\s*[+-]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;
const INTEGER_TEXT = /^\s*[+-]?\d+(?:_\d+)*\s*$/;

export const float: Reader<number> = (value, place, errors) => {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value === null) return notAllowed(errors, place);
  if (typeof value === 'string' && NUMERIC_TEXT.test(value)) return Number(value.replaceAll('_', ''));
  return fail(errors, place, 'value is not a valid float', 'type_error.float');
};

/** An integer; a fraction is cut off, `"1"` is taken, `"1.5"` is not. */
export const integer: Reader<number> = (value, place, errors) => {
  if (typeof value === 'number') return Math.trunc(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value === null) return notAllowed(errors, place);
  if (typeof value === 'string' && INTEGER_TEXT.test(value)) return Number(value.replaceAll('_', ''));
  return fail(errors, place, 'value is not a valid integer', 'type_error.integer');
};

const TRUE_WORDS = ['1', 'on', 't', 'true', 'y', 'yes'];
const FALSE_WORDS = ['0', 'off', 'f', 'false', 'n', 'no'];

export const boolean: Reader<boolean> = (value, place, errors) => {
  if (typeof value === 'boolean') return value;
  if (value === null) return notAllowed(errors, place);
  const word = typeof value === 'number' || typeof value === 'string' ? String(value).toLowerCase() : '';
  if (TRUE_WORDS.includes(word)) return true;
  if (FALSE_WORDS.includes(word)) return false;
  return fail(errors, place, 'value could not be parsed to a boolean', 'type_error.bool');
};

const DATETIME =
  /^\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d{1,6}\d{0,6})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?$/;

/** A date and time as text, or unix seconds or milliseconds; kept as it was sent. */
export const datetime: Reader<string | number> = (value, place, errors) => {
  if (typeof value === 'number') return value;
  if (value === null) return notAllowed(errors, place);
  if (typeof value === 'string') {
    if (NUMERIC_TEXT.test(value)) return Number(value);
    if (DATETIME.test(value) && isRealDate(value)) return value;
    return fail(errors, place, 'invalid datetime format', 'value_error.datetime');
  }
  return fail(errors, place, 'invalid type; expected datetime, string, bytes, int or float', 'type_error');
};

function isRealDate(value: string): boolean {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (value.match(/\d+/g) ?? []).map(
    Number,
  );
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return month >= 1 && month <= 12 && day >= 1 && day <= lastDay && hour < 24 && minute < 60 && second < 60;
}

/** A list; every item is read even after a bad one, so that all errors show. */
export function list<Item>(item: Reader<Item>): Reader<Item[]> {
  return (value, place, errors) => {
    if (value === null) return notAllowed(errors, place);
    if (!Array.isArray(value)) return fail(errors, place, 'value is not a valid list', 'type_error.list');
    const out: Item[] = [];
    let bad = false;
    for (let index = 0; index < value.length; index++) {
      const read = item(value[index], { parent: place, key: index }, errors);
      if (read === INVALID) bad = true;
      else out.push(read);
    }
    return bad ? INVALID : out;
  };
}

export function nullable<Value>(reader: Reader<Value>): Reader<Value | null> {
  return (value, place, errors) => (value === null ? null : reader(value, place, errors));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object of anything. */
export const anyObject: Reader<Record<string, unknown>> = (value, place, errors) => {
  if (value === null) return notAllowed(errors, place);
  return isObject(value) ? value : fail(errors, place, 'value is not a valid dict', 'type_error.dict');
};

/** A field of a model: how to read it, and what it is when absent (a field without default is required). */
export interface Field<Value> {
  readonly read: Reader<Value>;
  readonly initial?: () => Value;
}

export function required<Value>(read: Reader<Value>): Field<Value> {
  return { read };
}

export function optional<Value>(read: Reader<Value>, initial: () => Value): Field<Value> {
  return { read, initial };
}

type Fields<Model> = { readonly [Name in keyof Model]: Field<Model[Name]> };

/** A model: fields are read in the order of the declaration, which is the order of their errors; others are ignored. */
export function model<Model extends object>(fields: Fields<Model>): Reader<Model> {
  const entries = Object.entries<Field<unknown>>(fields);
  return (value, place, errors) => {
    if (value === null) return notAllowed(errors, place);
    if (!isObject(value)) return fail(errors, place, 'value is not a valid dict', 'type_error.dict');
    const out: Record<string, unknown> = {};
    let bad = false;
    for (const [name, field] of entries) {
      const at = { parent: place, key: name };
      const sent = value[name];
      let read: unknown;
      if (sent !== undefined) read = field.read(sent, at, errors);
      else if (field.initial) read = field.initial();
      else read = fail(errors, at, 'field required', 'value_error.missing');
      if (read === INVALID) bad = true;
      else out[name] = read;
    }
    return bad ? INVALID : (out as Model);
  };
}

/** Left to right: the first reader that accepts wins; if none does, the errors of all show (contract §7.3). */
export function union<First, Second>(first: Reader<First>, second: Reader<Second>): Reader<First | Second> {
  return (value, place, errors) => {
    if (value === null) return notAllowed(errors, place);
    const ofFirst: SchemaError[] = [];
    const asFirst = first(value, place, ofFirst);
    if (asFirst !== INVALID) return asFirst;
    const ofSecond: SchemaError[] = [];
    const asSecond = second(value, place, ofSecond);
    if (asSecond !== INVALID) return asSecond;
    errors.push(...ofFirst, ...ofSecond);
    return INVALID;
  };
}

/**
 * Reads a whole field of a request. A text is first parsed as JSON, as the server's schema fields do.
 * @returns the value, or the errors as the server lists them.
 */
export function readSchema<Value>(
  reader: Reader<Value>,
  value: unknown,
): { readonly value: Value } | { readonly errors: SchemaError[] } {
  let parsed = value;
  if (typeof value === 'string') {
    const outcome = parsePythonJson(value);
    if (!outcome.ok) return { errors: [decodeError(value, outcome.failure)] };
    parsed = outcome.value;
  }
  const errors: SchemaError[] = [];
  const read = reader(parsed, ROOT, errors);
  return read === INVALID ? { errors } : { value: read };
}

function decodeError(
  doc: string,
  failure: { message: string; position: number; line: number; column: number } | undefined,
): SchemaError {
  const { message, position, line, column } = failure ?? {
    message: 'Expecting value',
    position: 0,
    line: 1,
    column: 1,
  };
  return {
    loc: ['__root__'],
    msg: `${message}: line ${line} column ${column} (char ${position})`,
    type: 'value_error.jsondecode',
    ctx: { msg: message, doc, pos: String(position), lineno: String(line), colno: String(column) },
  };
}
