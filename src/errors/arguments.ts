import { z } from 'zod';
import { ID_WORDS, isGivenId } from '../contract/ids.js';
import { AntennaConfigError, type ConfigIssue } from './config.js';

export type { Id } from '../contract/ids.js';

/** What is wrong with an argument, in words; undefined if nothing. */
export type Check = (value: unknown) => string | undefined;

/** Not a path: `../projects` and `[object Object]` were once sent as ids. */
export const isId: Check = (value) => (isGivenId(value) ? undefined : ID_WORDS);

/** @param min - the least. */
export const isCount =
  (min: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= min
      ? undefined
      : `must be a whole number from ${min}`;

export const isText: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'must be a text';
/** That may be empty. */
export const isString: Check = (value) => (typeof value === 'string' ? undefined : 'must be a text');
export const isBoolean: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
export const isFunction: Check = (value) => (typeof value === 'function' ? undefined : 'must be a function');
export const isArray: Check = (value) => (Array.isArray(value) ? undefined : 'must be an array');
export const isDuration: Check = (value) =>
  typeof value === 'number' && value > 0 ? undefined : 'must be a number of milliseconds above 0';
/** For what may also be at once. */
export const isWait: Check = (value) =>
  typeof value === 'number' && value >= 0 ? undefined : 'must be a number of milliseconds from 0';
/** Made of one of our classes, or of one of the platform's. */
export const isA =
  (kind: abstract new (...args: never[]) => unknown): Check =>
  (value) =>
    value instanceof kind ? undefined : `must be ${/^[AEIOU]/.test(kind.name) ? 'an' : 'a'} ${kind.name}`;
export const isObject: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'must be an object';
/** Sparse places count as what they are, `undefined`. */
export const isTexts: Check = (value) =>
  Array.isArray(value) && Array.from(value).every((text) => typeof text === 'string')
    ? undefined
    : 'must be an array of texts';
/** Something that is used for its methods. */
export const hasMethods =
  (...names: readonly string[]): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function')
      ? undefined
      : `must be an object with ${names.join(', ')}`;
export const isClock: Check = hasMethods('now', 'wallNow', 'schedule');
export const isLogger: Check = hasMethods('debug', 'info', 'warn', 'error');
/** Variables for a process; one that is undefined is left out. */
export const isEnvironment: Check = (value) =>
  isObject(value) ??
  (Object.values(value as object).every((text) => text === undefined || typeof text === 'string')
    ? undefined
    : 'must be an object of texts');
export const either =
  (words: string, ...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value) === undefined) ? undefined : words;
export const isOneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && words.includes(value) ? undefined : `must be one of ${words.join(', ')}`;

/** A check as a zod schema of an option that may be left out. */
export const shaped = (check: Check): z.ZodOptional =>
  z.custom((value) => check(value) === undefined, { error: ({ input }) => check(input) }).optional();

/**
 * Refuses arguments that are given one by one; a missing one is wrong, unlike a missing option.
 * @throws AntennaConfigError naming each.
 */
export function checkArguments(
  given: Readonly<Record<string, unknown>>,
  shape: Readonly<Record<string, Check>>,
): void {
  checkOptions('Invalid arguments', given, shape, Object.keys(shape));
}

/**
 * Why an object of options cannot be used: it is none, an option has no such name, or a value does not fit. An option that is
 * misspelt and ignored is the worst kind: `{ timeout: 5 }` looked as if it worked.
 */
export function optionIssues(given: unknown, shape: Readonly<Record<string, Check>>): ConfigIssue[] {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return [{ path: '', message: `must be an object with some of ${Object.keys(shape).join(', ')}` }];
  const issues: ConfigIssue[] = [];
  for (const [path, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(shape, path))
      issues.push({ path, message: `is no option here; there are ${Object.keys(shape).join(', ')}` });
    else {
      const message = shape[path]?.(value);
      if (message !== undefined) issues.push({ path, message });
    }
  }
  return issues;
}

/**
 * @param required - names of those that may not be left out.
 * @throws AntennaConfigError naming each wrong, unknown or missing option.
 */
export function checkOptions(
  subject: string,
  given: unknown,
  shape: Readonly<Record<string, Check>>,
  required: readonly string[] = [],
): void {
  const issues = optionIssues(given, shape);
  const found =
    typeof given === 'object' && given !== null ? (given as Readonly<Record<string, unknown>>) : {};
  if (!issues.some(({ path }) => path === ''))
    for (const path of required) if (found[path] === undefined) issues.push({ path, message: 'is required' });
  if (issues.length > 0) throw new AntennaConfigError(subject, issues);
}
