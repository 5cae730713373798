import type { Antenna } from '../antenna.js';
import type { RequestRecord, ResponseRecord } from '../messages.js';
import type { Store } from '../state/store.js';
import type { Caller } from './authenticate.js';
import { parseBody } from './body.js';
import type { ParsedBody } from './body.js';
import type { Query } from './query.js';

/** One request on its way through a route. */
export class Call {
  readonly antenna: Antenna;
  readonly request: RequestRecord;
  readonly query: Query;
  readonly caller: Caller;
  /** What the route's pattern captured. */
  readonly params: readonly string[];
  #body: ParsedBody | undefined;

  constructor(
    antenna: Antenna,
    request: RequestRecord,
    query: Query,
    caller: Caller,
    params: readonly string[],
  ) {
    this.antenna = antenna;
    this.request = request;
    this.query = query;
    this.caller = caller;
    this.params = params;
  }

  get store(): Store {
    return this.antenna.store;
  }

  get isKeyDialect(): boolean {
    return this.antenna.settings.dialect === 'api-key';
  }

  /** The parsed body. Parsing happens on first use, because the real server refuses a bad body only when it reads it. */
  get body(): ParsedBody {
    this.#body ??= parseBody(this.request);
    return this.#body;
  }

  /** Absolute URL of an API path, built from the host the caller used (contract §1.1). */
  url(path: string): string {
    return `${this.request.origin}/api/v2/${path}`;
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Handler = (call: Call) => ResponseRecord | Promise<ResponseRecord>;

/** A path of the API and what it answers. */
export interface Route {
  /** Matches the path below `/api/v2/`, with its final slash. */
  readonly pattern: RegExp;
  /** The `Allow` header, in the server's own order. */
  readonly allow: string;
  readonly methods: Readonly<Partial<Record<Method, Handler>>>;
  /** Permission and lookup that the server does for the whole view, before it looks at the method. */
  readonly guard?: (call: Call) => void;
  /** True for the login and logout routes, which answer without the final slash too. */
  readonly slashOptional?: boolean;
}

export const LIST_ALLOW = 'GET, POST, HEAD, OPTIONS';
export const DETAIL_ALLOW = 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS';
export const ACTION_ALLOW = 'POST, OPTIONS';
