import { AntennaConfigError, type ConfigIssue } from '../errors/config.js';
import type { Operation, RequestOptions } from './operation.js';

/** Headers that a caller may not set: they carry the credential, frame the message, or say in which form we can read the answer. */
const RESERVED_HEADERS = new Set([
  ...['authorization', 'host', 'content-length', 'content-type', 'transfer-encoding'],
  ...['accept', 'accept-encoding', 'connection', 'keep-alive', 'upgrade', 'expect', 'te', 'trailer'],
]);
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

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

/** Why each of these headers cannot be sent, without quoting a value: HTTP libraries quote them, and they may be secrets. */
export function headerIssues(headers: Readonly<Record<string, string>>): ConfigIssue[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const message = headerProblem(name, value);
    return message === undefined ? [] : [{ path: `headers.${name}`, message }];
  });
}

function headerProblem(name: string, value: unknown): string | undefined {
  if (!HEADER_NAME.test(name)) return 'is not a valid header name';
  if (RESERVED_HEADERS.has(name.toLowerCase())) {
    return 'is set by the client; credentials have options of their own';
  }
  if (typeof value !== 'string') return 'must be a string';
  return HEADER_VALUE.test(value) ? undefined : 'has a control character or one beyond Latin-1 in its value';
}

/**
 * Headers of the caller's, names in lower case.
 * @throws AntennaConfigError for one that the client sets itself or that cannot be sent.
 */
export function checkedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const issues = headerIssues(headers);
  if (issues.length > 0) throw new AntennaConfigError('Invalid headers', issues);
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/**
 * Refuses options of a call that no deadline or retry loop can work with: `NaN` makes every comparison false.
 * @throws AntennaConfigError naming each wrong one.
 */
export function checkRequestOptions({ timeoutMs, retries, signal, nocache }: RequestOptions): void {
  const issues: ConfigIssue[] = [];
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    issues.push({ path: 'timeoutMs', message: 'must be a number of milliseconds above 0' });
  }
  if (retries !== undefined && !(Number.isInteger(retries) && retries >= 0)) {
    issues.push({ path: 'retries', message: 'must be a whole number from 0' });
  }
  if (signal && typeof signal.addEventListener !== 'function') {
    issues.push({ path: 'signal', message: 'must be an AbortSignal' });
  }
  if (nocache !== undefined && typeof nocache !== 'boolean') {
    issues.push({ path: 'nocache', message: 'must be true or false' });
  }
  if (issues.length > 0) throw new AntennaConfigError('Invalid request options', issues);
}

/**
 * Refuses to send a password, or to have a key sent, where others can read along. That the client has no credential of its own
 * does not make a login over plain http any safer.
 */
export function assertConfidential(
  operation: Pick<Operation<unknown>, 'id' | 'sensitive'>,
  confidential: boolean,
): void {
  if (operation.sensitive !== true || confidential) return;
  const message = `${operation.id} would send a secret unencrypted: use https, or set allowInsecureHttp if the network is trusted`;
  throw new AntennaConfigError('Invalid AntennaClient options', [{ path: 'baseUrl', message }]);
}
