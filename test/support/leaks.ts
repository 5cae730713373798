import { inspect } from 'node:util';

/** Shortest piece of a secret that counts as a leak. */
const SLICE_CHARS = 12;

/** Every way in which a program, a logger or a debugger may print a value. */
function renderings(value: unknown): string[] {
  const attempts: (() => unknown)[] = [
    () => inspect(value, { depth: Infinity, showHidden: true, getters: true, maxArrayLength: null }),
    () => inspect(value, { depth: Infinity, showHidden: true, customInspect: false }),
    () => JSON.stringify(value),
    () => JSON.stringify(value, Object.getOwnPropertyNames(Object(value))),
    () => String(value),
    () => ''.concat(value as string),
    () => inspect(structuredClone(value), { depth: Infinity, showHidden: true }),
    () => (value instanceof Error ? value.stack : ''),
  ];
  return attempts.map((attempt) => {
    try {
      return String(attempt());
    } catch (error) {
      // A value that cannot be cloned or stringified may still leak through the complaint about it.
      return String(error);
    }
  });
}

/** Pieces of the secrets that show up when `value` is printed in any way; empty is good. */
export function leaksOf(value: unknown, secrets: readonly string[]): string[] {
  const texts = renderings(value);
  const found = new Set<string>();
  for (const secret of secrets) {
    for (let at = 0; at + SLICE_CHARS <= secret.length; at++) {
      const slice = secret.slice(at, at + SLICE_CHARS);
      if (texts.some((text) => text.includes(slice))) found.add(slice);
    }
  }
  return [...found];
}
