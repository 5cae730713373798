import { z } from 'zod';

/** Id of something on the server: a positive integer, as a number or in digits. */
export type Id = number | string;

const DIGITS = /^[1-9]\d{0,15}$/;

/** What {@link isGivenId} asks for, in words. */
export const ID_WORDS = 'must be an id: a positive integer, as a number or in digits';

/** Whether a value can be sent as an id. `'05'` and `' 5'` cannot: whoever compares texts would take them for another. */
export function isGivenId(value: unknown): value is Id {
  if (typeof value === 'string') return DIGITS.test(value) && Number.isSafeInteger(Number(value));
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** An id that we send: the server never gives out 0, and wants a number in a body. */
export const givenIdSchema = z.custom<Id>(isGivenId, { error: ID_WORDS }).transform(Number);
