import { fieldErrors, badRequest } from '../wire/refusal.js';
import { isObject, readSchema } from './pydantic.js';
import type { Reader } from './pydantic.js';

const REQUIRED = 'This field is required.';
const NOT_NULL = 'This field may not be null.';
const BLANK = 'This field may not be blank.';
const TRUE_WORDS = ['true', 't', 'yes', 'y', 'on', '1'];
const FALSE_WORDS = ['false', 'f', 'no', 'n', 'off', '0'];
const NOT_INTEGER = 'A valid integer is required.';

function pythonTypeName(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  return Number.isInteger(value) ? 'int' : 'float';
}

/** Reads the fields of a request body as Django REST framework does, collecting every field's error before refusing. */
export class FieldReader {
  readonly #data: Record<string, unknown>;
  readonly #errors: Record<string, unknown> = {};

  /** @throws Refusal 400 when the body is not an object. */
  constructor(data: unknown) {
    if (data === null) throw badRequest({ non_field_errors: ['No data provided'] });
    if (!isObject(data)) {
      const type = pythonTypeName(data);
      throw badRequest({ non_field_errors: [`Invalid data. Expected a dictionary, but got ${type}.`] });
    }
    this.#data = data;
  }

  has(name: string): boolean {
    return this.#data[name] !== undefined;
  }

  fail(name: string, message: string): void {
    this.#errors[name] = [message];
  }

  integer(
    name: string,
    options: { required?: boolean; nullable?: boolean; min?: number } = {},
  ): number | null | undefined {
    const value = this.#present(name, options);
    if (value === undefined || value === null) return value;
    const digits = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
    const whole = digits.replace(/\.0*\s*$/, '');
    const min = options.min ?? -Infinity;
    if (!/^\s*[+-]?\d+\s*$/.test(whole)) this.fail(name, NOT_INTEGER);
    else if (Number(whole) >= min) return Number(whole);
    else this.fail(name, `Ensure this value is greater than or equal to ${min}.`);
    return undefined;
  }

  text(
    name: string,
    options: { required?: boolean; nullable?: boolean; blank?: boolean; max?: number } = {},
  ): string | null | undefined {
    const value = this.#present(name, options);
    if (value === undefined || value === null) return value;
    const trimmed = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : undefined;
    const max = options.max ?? Infinity;
    if (trimmed === undefined) this.fail(name, 'Not a valid string.');
    else if (trimmed === '' && !options.blank) this.fail(name, BLANK);
    else if (trimmed.length <= max) return trimmed;
    else this.fail(name, `Ensure this field has no more than ${max} characters.`);
    return undefined;
  }

  boolean(name: string): boolean | undefined {
    const value = this.#present(name, {});
    if (value === undefined || typeof value === 'boolean') return value;
    const word = typeof value === 'number' || typeof value === 'string' ? String(value).toLowerCase() : '';
    if (TRUE_WORDS.includes(word)) return true;
    if (FALSE_WORDS.includes(word)) return false;
    this.fail(name, 'Must be a valid boolean.');
    return undefined;
  }

  /** A field checked by a pydantic schema; its errors are objects, not strings (contract §1.5). */
  schema<Value>(
    name: string,
    reader: Reader<Value>,
    options: { required?: boolean } = {},
  ): Value | undefined {
    const value = this.#present(name, options);
    if (value === undefined || value === null) return undefined;
    const outcome = readSchema(reader, value);
    if ('value' in outcome) return outcome.value;
    this.#errors[name] = outcome.errors;
    return undefined;
  }

  /** @throws Refusal 400 with all errors found so far, if any. */
  done(): void {
    if (Object.keys(this.#errors).length > 0) throw fieldErrors(this.#errors);
  }

  #present(name: string, options: { required?: boolean; nullable?: boolean }): unknown {
    const value = this.#data[name];
    if (value === undefined && options.required) this.fail(name, REQUIRED);
    if (value !== null) return value;
    if (options.nullable) return null;
    this.fail(name, NOT_NULL);
    return undefined;
  }
}
