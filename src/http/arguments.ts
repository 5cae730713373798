import { AntennaConfigError, type ConfigIssue } from '../errors/config.js';

/** Id of something on the server: a positive integer, as a number or in digits. */
export type Id = number | string;

/** What is wrong with an argument, in words; undefined if nothing. */
export type Check = (value: unknown) => string | undefined;

const DIGITS = /^[1-9]\d{0,15}$/;

/** Not a path: `../projects` and `[object Object]` were once sent as ids. */
export const isId: Check = (value) =>
  (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) ||
  (typeof value === 'string' && DIGITS.test(value) && Number.isSafeInteger(Number(value)))
    ? undefined
    : 'must be an id: a positive integer, as a number or in digits';

/** @param min - the least. */
export const isCount =
  (min: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= min
      ? undefined
      : `must be a whole number from ${min}`;

export const isText: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'must be a text';
export const isBoolean: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
export const isFunction: Check = (value) => (typeof value === 'function' ? undefined : 'must be a function');
export const isArray: Check = (value) => (Array.isArray(value) ? undefined : 'must be an array');
export const isDuration: Check = (value) =>
  typeof value === 'number' && value > 0 ? undefined : 'must be a number of milliseconds above 0';
/** For what may also be at once. */
export const isWait: Check = (value) =>
  typeof value === 'number' && value >= 0 ? undefined : 'must be a number of milliseconds from 0';
/** Whatever it is, others look at it. */
export const isAnything: Check = () => undefined;
export const isOneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && words.includes(value) ? undefined : `must be one of ${words.join(', ')}`;

/**
 * Refuses ids that are none.
 * @throws AntennaConfigError naming each.
 */
export function checkIds(ids: Readonly<Record<string, unknown>>): void {
  const issues: ConfigIssue[] = [];
  for (const path in ids) {
    const message = isId(ids[path]);
    if (message !== undefined) issues.push({ path, message });
  }
  if (issues.length > 0) throw new AntennaConfigError('Invalid arguments', issues);
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

/** @throws AntennaConfigError naming each wrong or unknown option. */
export function checkOptions(subject: string, given: unknown, shape: Readonly<Record<string, Check>>): void {
  const issues = optionIssues(given, shape);
  if (issues.length > 0) throw new AntennaConfigError(subject, issues);
}
