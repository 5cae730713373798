import type { FieldErrors } from '../errors/api.js';

/** Longest piece of the server's text that an error message quotes. */
const MAX_DETAIL_CHARS = 300;

/** An error answer in words. */
export interface ErrorBody {
  readonly detail: string;
  readonly fieldErrors: FieldErrors;
}

/**
 * Reads the shapes in which Antenna says no (contract §1.5): an object of string arrays, an object of arrays of objects with `loc`
 * and `msg`, a bare array of strings, `{detail}`, `{error}`, and HTML or nothing, for which `body` is undefined.
 */
export function readErrorBody(status: number, body: unknown): ErrorBody {
  if (Array.isArray(body)) return fromFields({ non_field_errors: messagesOf(body) });
  if (typeof body !== 'object' || body === null) return { detail: statusText(status), fieldErrors: {} };
  const { detail, error } = body as { detail?: unknown; error?: unknown };
  const text = typeof detail === 'string' ? detail : error;
  if (typeof text === 'string') return { detail: clip(text), fieldErrors: {} };
  const fields: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(body)) {
    if (!Array.isArray(value)) {
      if (typeof value === 'string') fields[name] = [value];
      continue;
    }
    for (const item of value as unknown[]) addItem(fields, name, item);
  }
  return fromFields(fields, statusText(status));
}

function addItem(fields: Record<string, string[]>, name: string, item: unknown): void {
  if (typeof item === 'string') {
    (fields[name] ??= []).push(item);
  } else if (typeof item === 'object' && item !== null && 'msg' in item) {
    const loc = 'loc' in item && Array.isArray(item.loc) ? item.loc.map(String) : [];
    const path = [name, ...loc.filter((part) => part !== '__root__')].join('.');
    (fields[path] ??= []).push(String(item.msg));
  }
}

function messagesOf(items: readonly unknown[]): string[] {
  return items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
}

function fromFields(fields: Record<string, string[]>, otherwise = ''): ErrorBody {
  const parts = Object.entries(fields).map(([name, messages]) => {
    const text = messages.join(' ');
    return name === 'non_field_errors' ? text : `${name}: ${text}`;
  });
  return { detail: clip(parts.join('; ')) || otherwise, fieldErrors: fields };
}

function clip(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MAX_DETAIL_CHARS ? `${line.slice(0, MAX_DETAIL_CHARS)}…` : line;
}

function statusText(status: number): string {
  return status >= 500
    ? 'the server failed and gave no reason (an HTML page or an empty body)'
    : 'the answer gave no reason (an HTML page or an empty body)';
}
