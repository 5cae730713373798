import { AntennaConfigError, type ConfigIssue } from '../errors/config.js';
import { isBoolean, isCount, isDuration, isId, optionIssues, type Check } from '../errors/arguments.js';
import type { Operation, OperationInput, RequestOptions } from './operation.js';

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

/** A check for every option: the compiler refuses this table when one is missing. */
export const REQUEST_OPTIONS: { readonly [Name in keyof Required<RequestOptions>]: Check } = {
  signal: (signal) =>
    signal === null || typeof (signal as Partial<AbortSignal>).addEventListener === 'function'
      ? undefined
      : 'must be an AbortSignal',
  // `NaN` makes every comparison of a deadline false, and a text becomes a number somewhere on the way.
  timeoutMs: isDuration,
  retries: isCount(0),
  headers: (headers) =>
    typeof headers === 'object' && headers !== null && !Array.isArray(headers)
      ? undefined
      : 'must be an object of texts',
  nocache: isBoolean,
};

/** Names under which a query carries an id. */
const ID_QUERIES = ['project', 'project_id', 'pipeline', 'user_id'] as const;

/**
 * Why a call cannot be sent: in the path and in some queries there are ids, and nothing else; an option without an effect is a mistake.
 * Looks at names and types alone, however large the body is.
 */
export function argumentsError(
  { params = {}, query = {} }: OperationInput,
  options: RequestOptions,
): AntennaConfigError | undefined {
  const issues = optionIssues(options, REQUEST_OPTIONS);
  for (const [path, value] of Object.entries(params)) {
    const message = isId(value);
    if (message !== undefined) issues.push({ path, message });
  }
  for (const path of ID_QUERIES) {
    const value = query[path];
    const message = value === undefined ? undefined : isId(value);
    if (message !== undefined) issues.push({ path, message });
  }
  if (issues.length === 0) return undefined;
  return new AntennaConfigError('Invalid arguments', issues);
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
