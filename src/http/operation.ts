import type { z } from 'zod';
import type { CredentialSource } from '../auth/source.js';
import { CLIENT_DEFAULTS } from './defaults.js';

/**
 * What may be sent twice. A property of the operation, not of the verb:
 * - `always`: reading, logging in, registering, posting results (the server counts a result once);
 * - `if-not-delivered`: reserving (an answer lost on the way has reserved tasks that nobody holds; each costs a delivery);
 * - `never`: generating a key (it revokes the one before it), creating a service (names are not unique).
 */
export type ReplayClass = 'always' | 'if-not-delivered' | 'never';

/** One endpoint as data: all that the request path needs to know about it. */
export interface Operation<Result> {
  /** Stable name, as in `projects.get`; used in logs, events and for clearing caches. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the base URL with `{name}` for parameters. Ends in `/`: without it the server redirects (trap T1). */
  readonly path: `/${string}/`;
  readonly replay: ReplayClass;
  /** Schema of the answer, or null when a success has no body (204). */
  readonly response: z.ZodType<Result> | null;
  /**
   * The list that the answer is there for. If it has items and none can be used, the answer is damage, never an empty list. Of a list in
   * pages that is so for one page that is the whole list; other pages may lose their only item.
   */
  readonly list?: { readonly name: string; readonly paged: boolean };
  /** Sent without a credential: a stale one turns even the login into a 401 (trap T13). */
  readonly anonymous?: boolean;
  /** The answer or the request holds a secret: no part of it may enter an error. */
  readonly sensitive?: boolean;
  /** Milliseconds for one attempt, where the client's default does not fit. */
  readonly attemptTimeoutMs?: number;
}

/** Per-call options, accepted by every method that sends a request. */
export interface RequestOptions {
  /** Gives up the call. Its reason becomes the `cause` of the `AntennaAbortError`. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole call: credential, every attempt, every wait between. Default: the client's `timeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** Attempts after the first. Default: the client's `retries`. */
  readonly retries?: number | undefined;
  /** More headers. They cannot replace the credential or the headers that frame the message. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Asks the server even if an answer is kept, and keeps the new one. Default false. Only projects, pipelines, services and `auth.me` are
   * kept at all.
   */
  readonly nocache?: boolean | undefined;
}

/** A value in a query string; undefined and null are left out. */
export type QueryValue = string | number | boolean | null | undefined;

/** The variable part of one request. */
export interface OperationInput {
  /** Where the credential of this request comes from; absent = the client's source. */
  readonly credentials?: CredentialSource;
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, QueryValue>>;
  /** JSON value, or bytes that already are JSON (an encoded result is sent many times and encoded once). */
  readonly body?: unknown;
}

/** What the caller asked for comes first: else nothing could shorten a stalled post. */
export function attemptTimeoutMs(
  operation: Pick<Operation<unknown>, 'attemptTimeoutMs'>,
  askedMs: number | undefined,
): number {
  return askedMs ?? operation.attemptTimeoutMs ?? CLIENT_DEFAULTS.attemptTimeoutMs;
}
