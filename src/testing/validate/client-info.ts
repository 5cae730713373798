import { INVALID, anyObject, text } from './pydantic.js';
import type { Reader } from './pydantic.js';

const TYPED = ['hostname', 'software', 'version', 'platform', 'pod_name', 'ip', 'user_agent'];
const MAX_EXTRAS = 20;
const MAX_EXTRA_CHARACTERS = 500;

/**
 * The `client_info` field (contract §9): known names are text, at most 20 others with any value, long texts cut.
 */
export const clientInfo: Reader<Record<string, unknown>> = (value, place, errors) => {
  const object = anyObject(value, place, errors);
  if (object === INVALID) return INVALID;
  const out: Record<string, unknown> = {};
  let extras = 0;
  let bad = false;
  for (const [name, sent] of Object.entries(object)) {
    if (TYPED.includes(name)) {
      const read = text(sent, { parent: place, key: name }, errors);
      if (read === INVALID) bad = true;
      else out[name] = read;
    } else if (extras++ < MAX_EXTRAS) {
      out[name] = typeof sent === 'string' ? sent.slice(0, MAX_EXTRA_CHARACTERS) : sent;
    }
  }
  return bad ? INVALID : out;
};

/** True for what a merge never lets erase an older value: empty text, 0, false, null, `[]`, `{}`. */
function isEmpty(value: unknown): boolean {
  if (!value) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Merges what a worker said about itself into what is known; the server sets `ip` and `user_agent` itself. */
export function mergeClientInfo(
  known: Readonly<Record<string, unknown>> | null,
  sent: Readonly<Record<string, unknown>>,
  seen: { readonly ip: string; readonly userAgent: string },
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...known };
  const values = { ...sent, ip: seen.ip, user_agent: seen.userAgent };
  for (const [name, value] of Object.entries(values)) if (!isEmpty(value)) merged[name] = value;
  return inStorageOrder(merged);
}

/** PostgreSQL keeps the keys of a JSON object by length, then by bytes; clients see that order. */
function inStorageOrder(object: Record<string, unknown>): Record<string, unknown> {
  const order = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1);
  return Object.fromEntries(
    Object.keys(object)
      .sort(order)
      .map((name) => [name, object[name]]),
  );
}
