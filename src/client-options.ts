import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { Credential } from './auth/credential.js';
import { Secret } from './auth/secret.js';
import type { CredentialSource } from './auth/source.js';
import type { TokenProvider, TokenScheme } from './auth/token-provider.js';
import { cacheOptionsSchema, type CacheOptions } from './cache/options.js';
import { dialectOf, fromEnv, readCredential, type Env } from './client-credential.js';
import { CLIENT_DEFAULTS } from './defaults.js';
import { AntennaConfigError, type ConfigIssue } from './errors/config.js';
import type { FetchLike } from './http/fetch-transport.js';
import { carrierIssues } from './http/carrier.js';
import { headerIssues } from './http/request-parts.js';
import type { LeftOutHook } from './http/left-out-report.js';
import { isConfidential, parseBaseUrl } from './http/url.js';
import type { Logger } from './log/logger.js';
import type { Dialect } from './resources/core.js';
import { issuesOf } from './contract/issues.js';
import { systemClock, type Clock } from './time/clock.js';

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

const functionSchema = z.custom<(...args: never[]) => unknown>(
  (value) => typeof value === 'function',
  'must be a function',
);
const secretSchema = z.union([z.string(), z.instanceof(Secret)], { error: 'must be a string' });
const durationSchema = z.number().positive().max(2_147_483_647);
const methods = (...names: string[]): z.ZodType =>
  z.custom(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function'),
    `must have the methods ${names.join(', ')}`,
  );

/** A key for every option: the compiler refuses this table when an option is missing or misspelt. */
const SHAPES: { readonly [Name in keyof Required<AntennaClientOptions>]: z.ZodType } = {
  baseUrl: z.string(),
  apiKey: secretSchema,
  token: secretSchema,
  header: z.strictObject({ name: z.string(), value: secretSchema, prefix: z.string().optional() }),
  credentials: methods('get'),
  tokenProvider: functionSchema,
  tokenScheme: z.union(
    [
      z.enum(['Api-Key', 'Token', 'Bearer']),
      z.strictObject({ header: z.string(), prefix: z.string().optional() }),
    ],
    { error: 'must be Api-Key, Token, Bearer or { header, prefix }' },
  ),
  tokenRefreshWindowMs: z.number().nonnegative().max(2_147_483_647),
  tokenTimeoutMs: durationSchema,
  dialect: z.enum(['api-key', 'token']),
  serviceName: z.string().trim().min(1).max(255),
  clientInfo: z.union([z.literal(false), z.record(z.string(), z.unknown())], {
    error: 'must be an object or false',
  }),
  timeoutMs: durationSchema,
  attemptTimeoutMs: durationSchema,
  connectTimeoutMs: durationSchema,
  retries: z.int().min(0).max(100),
  headers: z.record(z.string(), z.string()).superRefine((headers, context) => {
    for (const { path, message } of headerIssues(headers)) {
      context.addIssue({ code: 'custom', path: [path.slice('headers.'.length)], message });
    }
  }),
  proxy: z.string().min(1),
  dispatcher: z.unknown(),
  fetch: functionSchema,
  maxConnections: z.int().positive(),
  maxResponseBytes: z.int().positive(),
  allowInsecureHttp: z.boolean(),
  cache: cacheOptionsSchema,
  onLeftOut: functionSchema,
  logger: methods('debug', 'info', 'warn', 'error'),
  clock: methods('now', 'wallNow', 'schedule'),
  random: functionSchema,
};

const optionsSchema = z.strictObject(
  Object.fromEntries(Object.entries(SHAPES).map(([name, schema]) => [name, schema.optional()])),
);

/** The options after checks and defaults. */
export interface ResolvedOptions extends AntennaClientOptions {
  readonly url: URL;
  /** The fixed credential; undefined if there is a source or a provider, or none at all. */
  readonly credential: Credential | undefined;
  readonly resolvedDialect: Dialect | undefined;
  readonly limits: { readonly [Name in Exclude<keyof typeof CLIENT_DEFAULTS, 'attemptTimeoutMs'>]: number };
  readonly time: Clock;
}

/**
 * Checks the options and fills in environment and defaults.
 * @throws AntennaConfigError naming every wrong option at once; never quoting a credential.
 */
export function resolveOptions(given: AntennaClientOptions, env: Env): ResolvedOptions {
  if (!isObject(given)) {
    const message = 'must be an object such as { baseUrl, apiKey }';
    throw new AntennaConfigError('Invalid AntennaClient options', [{ path: '', message }]);
  }
  const parsed = optionsSchema.safeParse(given);
  const issues: ConfigIssue[] = parsed.success ? [] : issuesOf(parsed.error);
  // The checks go on with the options of the right type, so that one error names everything that is wrong.
  const wrong = new Set(parsed.error?.issues.map((issue) => issue.path[0]));
  const options = Object.fromEntries(
    Object.entries(given).filter(([name]) => !wrong.has(name)),
  ) as AntennaClientOptions;
  const url = wrong.has('baseUrl') ? undefined : readBaseUrl(options, env, issues);
  const credential = readCredential(options, env, issues);
  checkOrigin(options, url, credential, issues);
  issues.push(...carrierIssues(options, env));
  if (issues.length > 0 || url === undefined)
    throw new AntennaConfigError('Invalid AntennaClient options', issues);
  return {
    ...options,
    url,
    credential,
    resolvedDialect:
      options.dialect ??
      dialectOf(credential?.scheme ?? options.tokenScheme ?? options.tokenProvider?.scheme),
    limits: {
      timeoutMs: options.timeoutMs ?? CLIENT_DEFAULTS.timeoutMs,
      connectTimeoutMs: options.connectTimeoutMs ?? CLIENT_DEFAULTS.connectTimeoutMs,
      retries: options.retries ?? CLIENT_DEFAULTS.retries,
      maxConnections: options.maxConnections ?? CLIENT_DEFAULTS.maxConnections,
      maxResponseBytes: options.maxResponseBytes ?? CLIENT_DEFAULTS.maxResponseBytes,
      tokenRefreshWindowMs: options.tokenRefreshWindowMs ?? CLIENT_DEFAULTS.tokenRefreshWindowMs,
      tokenTimeoutMs: options.tokenTimeoutMs ?? CLIENT_DEFAULTS.tokenTimeoutMs,
    },
    time: options.clock ?? systemClock,
  };
}

function readBaseUrl(options: AntennaClientOptions, env: Env, issues: ConfigIssue[]): URL | undefined {
  const found =
    options.baseUrl === undefined
      ? fromEnv(env, 'ANTENNA_API_URL', 'ANTENNA_API_BASE_URL', 'AMI_ANTENNA_API_BASE_URL')
      : { text: options.baseUrl, from: '' };
  if (found === undefined) {
    const message =
      'is missing: give the server’s address, such as https://antenna.example.org, or set ANTENNA_API_URL';
    issues.push({ path: 'baseUrl', message });
    return undefined;
  }
  const result = parseBaseUrl(found.text);
  if (result.ok) return result.url;
  issues.push({ path: 'baseUrl', message: found.from + result.problem });
  return undefined;
}

function checkOrigin(
  options: AntennaClientOptions,
  url: URL | undefined,
  credential: Credential | undefined,
  issues: ConfigIssue[],
): void {
  const signs =
    credential !== undefined || options.credentials !== undefined || options.tokenProvider !== undefined;
  if (url && signs && !isConfidential(url, options.allowInsecureHttp)) {
    const message =
      'would send the credential unencrypted: use https, or set allowInsecureHttp if the network is trusted';
    issues.push({ path: 'baseUrl', message });
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
