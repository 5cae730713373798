import { z } from 'zod';

/** What a schema says about a value that it must not accept; fails the test when the value passes. */
export function refusal(schema: z.ZodType, value: unknown): string {
  const parsed = schema.safeParse(value);
  if (parsed.success) throw new Error(`accepted, although it must be refused: ${JSON.stringify(value)}`);
  return z.prettifyError(parsed.error);
}

/** The same object with one key left out. */
export function without<T extends object, K extends keyof T & string>(value: T, key: K): Omit<T, K> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key)) as Omit<T, K>;
}
