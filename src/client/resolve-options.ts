import { z } from 'zod';
import type { Credential } from '../auth/credential.js';
import { Secret } from '../auth/secret.js';
import { cacheOptionsSchema } from '../cache/options.js';
import { dialectOf, fromEnv, readCredential, type Env } from './credential.js';
import { CLIENT_DEFAULTS } from '../http/defaults.js';
import { AntennaConfigError, type ConfigIssue } from '../errors/config.js';
import { carrierIssues } from '../http/carrier.js';
import { headerIssues } from '../http/request-parts.js';
import { isConfidential, parseBaseUrl } from '../http/url.js';
import { issuesOf } from '../contract/issues.js';
import { systemClock } from '../time/clock.js';
import type { AntennaClientOptions, ResolvedOptions } from './options.js';

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
    limits: limitsOf(options),
    time: options.clock ?? systemClock,
  };
}

/** What is given, and the defaults for the rest. */
function limitsOf(options: AntennaClientOptions): Record<keyof typeof CLIENT_DEFAULTS, number> {
  const names = Object.keys(CLIENT_DEFAULTS) as (keyof typeof CLIENT_DEFAULTS)[];
  return Object.fromEntries(names.map((name) => [name, options[name] ?? CLIENT_DEFAULTS[name]])) as Record<
    keyof typeof CLIENT_DEFAULTS,
    number
  >;
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
