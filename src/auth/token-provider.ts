import type { Secret } from './secret.js';

/**
 * How a token is sent: `Authorization` with one of three words, or any other header, with a word before the value if `prefix` is
 * given (`{ header: 'X-API-Key' }`).
 */
export type TokenScheme =
  'Api-Key' | 'Token' | 'Bearer' | { readonly header: string; readonly prefix?: string | undefined };

/** Why a provider is asked. */
export type TokenReason =
  /** There is no token yet, or the provider is one that is asked for every request. */
  | 'initial'
  /** The token still serves, and ends soon. Nobody waits for the answer. */
  | 'expiring'
  /** The token is over; requests wait for the answer. */
  | 'expired'
  /** The server answered 401 to the newest token. A provider with a cache of its own should go past it. */
  | 'rejected';

/** What a provider is told. */
export interface TokenRequest {
  readonly reason: TokenReason;
  /** Aborts when the answer is no longer wanted: at the time limit, and for a provider asked per request with that request. */
  readonly signal: AbortSignal;
  /** End of the token handed out last. */
  readonly previousExpiresAt?: Date;
}

/** A token with what is known about it. */
export interface TokenWithExpiry {
  readonly token: string | Secret;
  /**
   * When it ends: a `Date`, milliseconds since the Unix epoch, or an ISO 8601 text with a time zone. With it the token is kept and
   * shared by all requests of this client; without it, the provider is asked again for every request.
   */
  readonly expiresAt?: Date | number | string | undefined;
  /** Beats the client's `tokenScheme`. */
  readonly scheme?: TokenScheme | undefined;
}

/** What a provider may answer. */
export type TokenAnswer = string | Secret | TokenWithExpiry;

/**
 * Where tokens come from.
 *
 * A plain string is asked for with every request and never shared, in the request's own asynchronous context: it may depend
 * on an `AsyncLocalStorage` tenant. A token with `expiresAt` belongs to the client: it is kept, and renewed before it ends.
 */
export interface TokenProvider {
  (request: TokenRequest): TokenAnswer | Promise<TokenAnswer>;
  /** How its tokens are sent, if it is always the same; `tokenScheme` beats it. */
  readonly scheme?: TokenScheme | undefined;
}
