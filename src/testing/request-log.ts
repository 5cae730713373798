import { BoundedLog } from './bounded-log.js';
import type { RequestRecord, ResponseRecord } from './messages.js';

/** A request as the server saw it, for a test to look at. */
export interface LoggedRequest {
  /** Wall time of arrival, in milliseconds since the Unix epoch. */
  readonly at: number;
  readonly method: string;
  /** Path below `/api/v2`, for instance `/jobs/1/tasks/`; of a request elsewhere the whole path. */
  readonly path: string;
  /** Query parameters; of a repeated one, the last. */
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case; `authorization` shows at most the scheme and a key's prefix. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body: parsed if it is JSON, otherwise as text; undefined for none or one above 64 KiB. */
  readonly body: unknown;
  readonly bodyBytes: number;
  /** Status answered, or null when the connection was cut instead. */
  readonly status: number | null;
}

const MAX_KEPT_BODY_BYTES = 65_536;
const PREFIX = '/api/v2';

/** The newest requests. Parsing waits until somebody looks, so that it costs a busy server nothing. */
export class RequestLog {
  readonly #log: BoundedLog<() => LoggedRequest>;

  constructor(limit: number) {
    this.#log = new BoundedLog(limit);
  }

  add(at: number, request: RequestRecord, response: ResponseRecord | null): void {
    const bodyBytes = Buffer.byteLength(request.body);
    const kept = bodyBytes <= MAX_KEPT_BODY_BYTES ? request : { ...request, body: '' };
    const status = response?.status ?? null;
    let view: LoggedRequest | undefined;
    this.#log.push(() => (view ??= describe(at, kept, bodyBytes, status)));
  }

  toArray(): readonly LoggedRequest[] {
    return this.#log.toArray().map((read) => read());
  }

  get dropped(): number {
    return this.#log.dropped;
  }

  clear(): void {
    this.#log.clear();
  }
}

function describe(
  at: number,
  request: RequestRecord,
  bodyBytes: number,
  status: number | null,
): LoggedRequest {
  const { headers, path } = request;
  const { authorization } = headers;
  return {
    at,
    method: request.method,
    path: path.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length) : path,
    query: Object.fromEntries(new URLSearchParams(request.query)),
    headers: authorization === undefined ? headers : { ...headers, authorization: redact(authorization) },
    body: parse(request.body),
    bodyBytes,
    status,
  };
}

function parse(body: string): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** The scheme, and of an API key its public prefix: enough to tell credentials apart, nothing to use. */
function redact(authorization: string): string {
  const [scheme = '', ...rest] = authorization.split(' ');
  const value = rest.join(' ').trim();
  const prefix = /^[A-Za-z0-9]{8}(?=\.)/.exec(value)?.[0];
  if (value === '') return scheme;
  return prefix ? `${scheme} ${prefix}.***` : `${scheme} ***`;
}
