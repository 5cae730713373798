import type { Dispatcher } from 'undici';
import type { Credential } from '../auth/credential.js';
import type { Secret } from '../auth/secret.js';
import type { CredentialSource } from '../auth/source.js';
import type { TokenProvider, TokenScheme } from '../auth/token-provider.js';
import { type CacheOptions } from '../cache/options.js';
import type { CLIENT_DEFAULTS } from '../http/defaults.js';
import type { FetchLike } from '../http/fetch-transport.js';
import type { LeftOutHook } from '../http/left-out-report.js';
import type { Logger } from '../log/logger.js';
import type { Dialect } from '../resources/core.js';
import { type Clock } from '../time/clock.js';

/** Options of `AntennaClient`. Every one may also be `undefined`, which is the same as leaving it out. */
export interface AntennaClientOptions {
  /**
   * Address of the server, with or without `/api/v2`: `https://antenna.example.org`.
   * Default: `ANTENNA_API_URL`, `ANTENNA_API_BASE_URL` or `AMI_ANTENNA_API_BASE_URL`.
   */
  readonly baseUrl?: string | undefined;
  /** API key `prefix.secret`, sent as `Authorization: Api-Key …`. Default: `ANTENNA_API_KEY` or `AMI_ANTENNA_API_KEY`. */
  readonly apiKey?: string | Secret | undefined;
  /**
   * User token of 40 hexadecimal digits, sent as `Authorization: Token …`.
   * Default: `ANTENNA_API_AUTH_TOKEN` or `AMI_ANTENNA_API_AUTH_TOKEN`.
   */
  readonly token?: string | Secret | undefined;
  /** Any other header that carries the credential, for a gateway: `{ name: 'X-API-Key', value }`, with a word in front if `prefix` is given. */
  readonly header?:
    | { readonly name: string; readonly value: string | Secret; readonly prefix?: string | undefined }
    | undefined;
  /** Where credentials come from; takes the place of `apiKey`, `token` and `header`. */
  readonly credentials?: CredentialSource | undefined;
  /**
   * Called for tokens; takes the place of `apiKey`, `token` and `header`. A plain string is asked for with every request; a token with
   * `expiresAt` is kept and renewed before it ends.
   */
  readonly tokenProvider?: TokenProvider | undefined;
  /**
   * How the provider's tokens are sent. Default: what the provider says; else by form, an API key as `Api-Key`, 40 hexadecimal digits as
   * `Token`, anything else as `Bearer`.
   */
  readonly tokenScheme?: TokenScheme | undefined;
  /** Milliseconds before a token's end at which it is renewed, at most a third of its lifetime. Default 300,000. */
  readonly tokenRefreshWindowMs?: number | undefined;
  /** Milliseconds for one call of the provider. Default 20,000. */
  readonly tokenTimeoutMs?: number | undefined;
  /**
   * Kind of server. Default: follows from the credential (`apiKey` → `api-key`, `token` → `token`), or from the scheme of
   * `tokenProvider` if that is known beforehand.
   */
  readonly dialect?: Dialect | undefined;
  /** Name under which a worker registers with servers of the `token` dialect. */
  readonly serviceName?: string | undefined;
  /**
   * Extra fields of `client_info`, or false to send none. Publicly readable on public projects: no secrets. At most 20 fields of
   * 500 characters.
   */
  readonly clientInfo?: Readonly<Record<string, unknown>> | false | undefined;
  /** Milliseconds for a whole call, retries included. Default 120,000. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds for one attempt of any request. Default 30,000; posting results has 60,000. */
  readonly attemptTimeoutMs?: number | undefined;
  /** Milliseconds for making a connection. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Attempts after the first. Default 3. */
  readonly retries?: number | undefined;
  /** Headers for every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Address of an HTTP proxy, or `'env'` for `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. A worker's images take it
   * too. Default: none.
   */
  readonly proxy?: string | undefined;
  /** A dispatcher of undici 7 in place of the built-in agent. It stays yours: `close()` does not close it. */
  readonly dispatcher?: Dispatcher | undefined;
  /** A `fetch` in place of undici, for MSW and for tests. */
  readonly fetch?: FetchLike | undefined;
  /** Connections to the server at most. Default 64. */
  readonly maxConnections?: number | undefined;
  /** Answers larger than this are refused. Default 64 MiB. */
  readonly maxResponseBytes?: number | undefined;
  /** Send a credential over plain http to another machine. Default false: anyone on the way could read it. */
  readonly allowInsecureHttp?: boolean | undefined;
  /**
   * How long answers that change rarely are kept, per credential: projects, pipelines, services, `auth.me`. `false` keeps none. What is
   * kept is frozen. Default: 1 to 5 minutes; see {@link CacheOptions}.
   */
  readonly cache?: CacheOptions | false | undefined;
  /**
   * Told of each item or field of an answer that could not be read and was left out, once each however often the server sends it. Pages
   * and arrays that methods return name them too, in `leftOut`. Default: a warning in the log, which there is in any case.
   */
  readonly onLeftOut?: LeftOutHook | undefined;
  /** Any pino-compatible logger. Default: pino at `warn` (`ANTENNA_LOG_LEVEL`), to standard error. */
  readonly logger?: Logger | undefined;
  /** Source of time, for tests. */
  readonly clock?: Clock | undefined;
  /** Source of jitter in [0, 1), for tests. */
  readonly random?: (() => number) | undefined;
}

/** The options after checks and defaults. */
export interface ResolvedOptions extends AntennaClientOptions {
  readonly url: URL;
  /** The fixed credential; undefined if there is a source or a provider, or none at all. */
  readonly credential: Credential | undefined;
  readonly resolvedDialect: Dialect | undefined;
  readonly limits: { readonly [Name in Exclude<keyof typeof CLIENT_DEFAULTS, 'attemptTimeoutMs'>]: number };
  readonly time: Clock;
}
