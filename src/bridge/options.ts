import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { AntennaConfigError } from '../errors/config.js';
import type { Logger } from '../log/logger.js';
import { issuesOf } from '../resources/core.js';
import type { Clock } from '../time/clock.js';
import { BRIDGE_DEFAULTS } from './defaults.js';
import type { StartOptions } from './service-child.js';

/** Options of `pushService`. */
export interface PushServiceOptions {
  /** Where the service listens, such as `http://127.0.0.1:2000`, which is also the default with `start`. */
  readonly url?: string | undefined;
  /**
   * A command that serves the push API at `url`. It is started in a process group of its own, started again when it dies or hangs, and
   * ended with the worker. Default: somebody else runs the service.
   */
  readonly start?: StartOptions | undefined;
  /**
   * How the service gets its images. `loopback`: the worker downloads them with its own limits and serves the bytes on 127.0.0.1 for the
   * time of a call; a bad image never reaches the service, and no signed URL its log. `url`: the service downloads for itself. Default:
   * `loopback` for a service on this machine, `url` elsewhere.
   */
  readonly images?: 'loopback' | 'url' | undefined;
  /** Slugs of the pipelines to serve. Default: all that can be served. */
  readonly pipelines?: readonly string[] | undefined;
  /** Configuration of every call; what a task brings goes before it. Default `{}`. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** Images in one call at most. Default 32; how many is measured. */
  readonly maxBatchSize?: number | undefined;
  /** Milliseconds for one call of the service. Default: the worker's `processTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds that images wait for a service that went away, before their leases are left to lapse. Default 300,000. */
  readonly restartTimeoutMs?: number | undefined;
  /** Milliseconds from the start of a command until it must be ready. Default 300,000. A service without `start` is waited for. */
  readonly startTimeoutMs?: number | undefined;
  /** Milliseconds between two looks at a service that is not ready. Default 2,000. */
  readonly pollIntervalMs?: number | undefined;
  /** Default: says nothing. Give the client's. */
  readonly logger?: Logger | undefined;
  /** Ends the wait for the service. */
  readonly signal?: AbortSignal | undefined;
  /** Source of time, for tests. */
  readonly clock?: Clock | undefined;
  /** Source of jitter in [0, 1), for tests. */
  readonly random?: (() => number) | undefined;
}

const countSchema = z.int().positive();
const msSchema = z.number().positive();
const functionSchema = z.custom((value) => typeof value === 'function', 'must be a function');
const SHAPES: { readonly [Name in keyof Required<PushServiceOptions>]: z.ZodType } = {
  url: z.string().refine(isServiceUrl, 'must be an http or https URL, such as http://127.0.0.1:2000'),
  start: z.strictObject({
    command: z.string().min(1),
    args: z.array(z.string()).optional(),
    cwd: z.string().min(1).optional(),
    env: z.record(z.string(), z.string()).optional(),
  }),
  images: z.enum(['loopback', 'url']),
  pipelines: z.array(z.string().min(1)).min(1),
  config: z.record(z.string(), z.unknown()),
  maxBatchSize: countSchema,
  timeoutMs: msSchema,
  restartTimeoutMs: msSchema,
  startTimeoutMs: msSchema,
  pollIntervalMs: msSchema,
  logger: z.looseObject({ warn: functionSchema, error: functionSchema }),
  signal: z.instanceof(AbortSignal, { error: 'must be an AbortSignal' }),
  clock: z.looseObject({ now: functionSchema, schedule: functionSchema }),
  random: functionSchema,
};
const optionsSchema = z.strictObject(
  Object.fromEntries(Object.entries(SHAPES).map(([name, schema]) => [name, schema.optional()])),
);

/** Where MIN, EX and ADC listen. */
const DEFAULT_URL = 'http://127.0.0.1:2000';

/** The options after checks and defaults. */
export interface ResolvedPushOptions {
  readonly url: URL;
  readonly images: 'loopback' | 'url';
  readonly maxBatchSize: number;
}

/** @throws AntennaConfigError naming every wrong option. */
export function resolvePushOptions(options: PushServiceOptions): ResolvedPushOptions {
  const subject = 'Invalid pushService options';
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) throw new AntennaConfigError(subject, issuesOf(parsed.error));
  if (options.url === undefined && options.start === undefined)
    throw new AntennaConfigError(subject, [
      { path: 'url', message: 'is required unless start is given: where does the service listen?' },
    ]);
  const url = new URL(options.url ?? DEFAULT_URL);
  // A path without a slash at its end would lose its last part.
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  const here = options.start !== undefined || isThisMachine(url.hostname);
  return {
    url,
    images: options.images ?? (here ? 'loopback' : 'url'),
    maxBatchSize: options.maxBatchSize ?? BRIDGE_DEFAULTS.maxBatchSize,
  };
}

function isServiceUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** Whether a host name or address is one of this machine's. */
export function isThisMachine(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare === '::1' || bare.startsWith('127.')) return true;
  return Object.values(networkInterfaces())
    .flat()
    .some((known) => known?.address.toLowerCase() === bare);
}
