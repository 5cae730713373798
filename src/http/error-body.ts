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
  if (Array.isArray(body)) return fromFields({ non_field_errors: messagesOf(body) }, statusText(status));
  if (typeof body !== 'object' || body === null) return { detail: statusText(status), fieldErrors: {} };
  const { detail, error } = body as { detail?: unknown; error?: unknown };
  const text = typeof detail === 'string' ? detail : error;
  if (typeof text === 'string') return { detail: clip(text), fieldErrors: {} };
  const fields = new Map<string, string[]>();
  for (const [name, value] of Object.entries(body)) addValue(fields, name, value);
  return fromFields(Object.fromEntries(fields), statusText(status));
}

/** Collects the messages under a field, as deep as serializers nest them: texts, lists of texts, objects by field, lists of those. */
function addValue(fields: Map<string, string[]>, path: string, value: unknown): void {
  if (typeof value === 'string') {
    fields.set(path, [...(fields.get(path) ?? []), value]);
  } else if (Array.isArray(value)) {
    (value as unknown[]).forEach((item, index) => {
      const nested = typeof item === 'object' && item !== null && !('msg' in item);
      addValue(fields, nested ? `${path}.${index}` : path, item);
    });
  } else if (typeof value === 'object' && value !== null) {
    if ('msg' in value) {
      const loc = 'loc' in value && Array.isArray(value.loc) ? value.loc.map(String) : [];
      addValue(fields, [path, ...loc.filter((part) => part !== '__root__')].join('.'), String(value.msg));
    } else for (const [name, inner] of Object.entries(value)) addValue(fields, `${path}.${name}`, inner);
  }
}

function messagesOf(items: readonly unknown[]): string[] {
  return items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
}

function fromFields(fields: Record<string, string[]>, otherwise: string): ErrorBody {
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
