/** Words of `typeof`, and those that it lacks. */
export type Kind = 'number' | 'string' | 'boolean' | 'object' | 'array' | 'function' | 'null' | 'any';
/** What an option may be, by its name. */
export type Shape = Readonly<Record<string, readonly Kind[]>>;

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** @throws TypeError unless the value is one of the kinds; numbers must be from 0, and NaN is none. */
export function assertKind(name: string, value: unknown, ...kinds: readonly Kind[]): void {
  const fits = kinds.includes('any') || kinds.some((kind) => kind === kindOf(value));
  if (!fits || (typeof value === 'number' && !(value >= 0)))
    throw new TypeError(`${name} must be of type ${kinds.join(' or ')}, and a number from 0.`);
}

/**
 * @param loose - names that are not in the shape are somebody else's, and fine.
 * @throws TypeError naming the first option that is misspelt, missing or wrong: a test whose fault never happens passes.
 */
export function assertOptions(
  maker: string,
  options: unknown,
  shape: Shape,
  { required = [], loose = false }: { required?: readonly string[]; loose?: boolean } = {},
): void {
  if (kindOf(options) !== 'object') throw new TypeError(`${maker} needs an object of options.`);
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of required) if (given[name] === undefined) throw new TypeError(`${maker} needs ${name}.`);
  for (const [name, value] of Object.entries(given)) {
    const kinds = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (kinds === undefined && !loose)
      throw new TypeError(
        `${name} is no option of ${maker}; there are ${Object.keys(shape).join(', ') || 'none'}.`,
      );
    if (value !== undefined && kinds !== undefined) assertKind(name, value, ...kinds);
  }
}
