import { AntennaConfigError } from '../errors/config.js';

/** Headers that a caller may not set: they carry the credential or frame the message. */
const RESERVED_HEADERS = new Set([
  'authorization',
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
]);

/** The body as it goes out. Bytes are sent as they are: they have been encoded once and for all. */
export function encodeBody(body: unknown): string | Uint8Array | undefined {
  if (body === undefined || body instanceof Uint8Array) return body;
  return JSON.stringify(body);
}

/** The string values of a flat JSON object: of a login, the password. */
export function stringsIn(json: string): string[] {
  return Object.values(JSON.parse(json) as Record<string, unknown>).filter(
    (value) => typeof value === 'string',
  );
}

/**
 * Headers of the caller's, names in lower case.
 * @throws AntennaConfigError for one that the client sets itself.
 */
export function checkedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (RESERVED_HEADERS.has(lower)) {
      throw new AntennaConfigError('Invalid headers', [
        { path: `headers.${name}`, message: 'is set by the client; credentials have options of their own' },
      ]);
    }
    checked[lower] = value;
  }
  return checked;
}
