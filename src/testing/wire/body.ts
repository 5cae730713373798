import type { RequestRecord } from '../messages.js';
import { parsePythonJson } from './python-json.js';
import { Refusal, badRequest } from './refusal.js';
import { json } from './respond.js';

/** A parsed request body. Form values are strings, as the server's fields then see them. */
export interface ParsedBody {
  readonly data: unknown;
  readonly isForm: boolean;
}

/**
 * Reads the body as the server does (contract §1.2): an empty one equals `{}` whatever its type.
 * @throws Refusal 400 for malformed JSON, 415 for a type the server does not parse.
 */
export function parseBody(request: RequestRecord): ParsedBody {
  if (request.body === '') return { data: {}, isForm: false };
  const contentType = request.headers['content-type'] ?? '';
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (mediaType === 'application/json') return { data: parseJsonBody(request), isForm: false };
  if (mediaType === 'application/x-www-form-urlencoded') {
    return { data: Object.fromEntries(new URLSearchParams(request.body)), isForm: true };
  }
  if (mediaType === 'multipart/form-data')
    return { data: parseMultipart(request.body, contentType), isForm: true };
  throw new Refusal(json(415, { detail: `Unsupported media type "${contentType}" in request.` }));
}

function parseJsonBody(request: RequestRecord): unknown {
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    // The server never decompresses, so it meets the bytes of the compressed stream (contract §1.2).
    throw badRequest({
      detail: "JSON parse error - 'utf-8' codec can't decode byte 0x8b in position 1: invalid start byte",
    });
  }
  const outcome = parsePythonJson(request.body);
  if (!outcome.ok) throw badRequest({ detail: `JSON parse error - ${outcome.error}` });
  return outcome.value;
}

const PART_NAME = /content-disposition:[^\r\n]*\bname="([^"]*)"/i;

function parseMultipart(body: string, contentType: string): Record<string, string> {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined)
    throw badRequest({ detail: 'Multipart form parse error - Invalid boundary in multipart: None' });
  const fields: Record<string, string> = {};
  for (const part of body.split(`--${boundary}`)) {
    const split = part.indexOf('\r\n\r\n');
    const name = PART_NAME.exec(part)?.[1];
    if (split === -1 || name === undefined) continue;
    fields[name] = part.slice(split + 4).replace(/\r\n$/, '');
  }
  return fields;
}
