import type { TransportResponse } from '../http/transport.js';
import { cleanLine } from '../worker/executors/output-lines.js';

/**
 * What an answer of `POST /process` means (PUSH_API §5):
 * - `answer`: a JSON object; whether it fits is for {@link splitAnswer} to say.
 * - `failed`: this batch failed. No service says which image was at fault. `passing`: it may go well later.
 * - `mismatch`: every image would get the same answer.
 */
export type ProcessVerdict =
  | { readonly kind: 'answer'; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'failed'; readonly text: string; readonly passing: boolean }
  | { readonly kind: 'mismatch'; readonly reason: string };

/** Words of memory that did not suffice, as PyTorch, CUDA and Python say it. */
export const OUT_OF_MEMORY =
  /out of memory|MemoryError|can't allocate memory|CUBLAS_STATUS_ALLOC_FAILED|DefaultCPUAllocator/i;

/** Answers that a gateway gives while the service behind it is away or busy. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);
/** Longest text of a service that goes into an error. */
const MAX_TEXT_CHARS = 300;
/** Fields of a 422 that are named. */
const MAX_FIELDS = 5;

/** Judges an answer by its status and its form. */
export function judgeAnswer({ status, headers, body }: TransportResponse): ProcessVerdict {
  const type = headers['content-type'] ?? '';
  const text = body.toString('utf8');
  if (status >= 200 && status < 300) return judgeSuccess(status, type, text);
  const said = `the service answered ${status}: ${firstLine(text, type)}`;
  if (status === 422) {
    const fields = fieldsOf(parseJson(text));
    if (fields !== undefined)
      return { kind: 'mismatch', reason: `it does not take the request (422): ${fields}` };
    return { kind: 'failed', text: said, passing: false };
  }
  if (PASSING.has(status)) return { kind: 'failed', text: said, passing: true };
  // 413 is a gateway's word for a batch that is too large.
  if (status >= 500 || status === 413) return { kind: 'failed', text: said, passing: false };
  return { kind: 'mismatch', reason: `POST /process was answered with ${status}: ${firstLine(text, type)}` };
}

function judgeSuccess(status: number, type: string, text: string): ProcessVerdict {
  const parsed = parseJson(text);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
    return { kind: 'answer', body: parsed as Readonly<Record<string, unknown>> };
  // Half a JSON text is a broken answer; anything else is somebody else's.
  if (parsed === undefined && type.includes('json'))
    return { kind: 'failed', text: `the service answered ${status} with broken JSON`, passing: true };
  const what = isHtml(text, type) ? 'an HTML page' : `no JSON object (${type || 'no content type'})`;
  return { kind: 'mismatch', reason: `POST /process was answered with ${status} and ${what}` };
}

/** The first line of what a service said, fit to be logged and posted: a FastAPI `detail` is unwrapped, URLs lose their query. */
export function firstLine(text: string, type = ''): string {
  const parsed = parseJson(text);
  const detail =
    typeof parsed === 'object' && parsed !== null && 'detail' in parsed ? parsed.detail : undefined;
  if (typeof detail !== 'string' && isHtml(text, type)) return titleOf(text);
  const said = typeof detail === 'string' ? detail : text;
  const line = said
    .split(/\r?\n/)
    .map((part) => part.trim())
    .find((part) => part !== '');
  return line === undefined ? 'nothing' : cleanLine(line, []).slice(0, MAX_TEXT_CHARS);
}

/** Names of the fields in a list of pydantic's errors, without their `input`, which repeats signed URLs; undefined if it is none. */
function fieldsOf(parsed: unknown): string | undefined {
  if (typeof parsed !== 'object' || parsed === null || !('detail' in parsed)) return undefined;
  const { detail } = parsed;
  if (!Array.isArray(detail)) return undefined;
  const named = detail.slice(0, MAX_FIELDS).map((issue: unknown) => {
    const { loc, msg } = (issue ?? {}) as { loc?: unknown; msg?: unknown };
    const path = Array.isArray(loc) ? loc.map(String).join('.') : '?';
    return cleanLine(`${path}: ${typeof msg === 'string' ? msg : 'invalid'}`, []).slice(0, MAX_TEXT_CHARS);
  });
  return named.join('; ') || 'an empty list of faults';
}

function isHtml(text: string, type: string): boolean {
  return type.includes('html') || /^\s*<(?:!doctype|html)/i.test(text);
}

function titleOf(html: string): string {
  const title = /<title[^>]*>([^<]*)/i.exec(html)?.[1]?.trim();
  return title === undefined || title === ''
    ? 'an HTML page'
    : `an HTML page "${cleanLine(title, []).slice(0, 80)}"`;
}

/** @returns undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
