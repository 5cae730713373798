import { z } from 'zod';
import { AntennaClient } from '../../client/client.js';
import { AntennaConfigError } from '../../errors/config.js';
import type { FetchLike } from '../../http/fetch-transport.js';
import { givenIdSchema, type Id } from '../../contract/ids.js';
import { issuesOf } from '../../contract/issues.js';
import { DELIVERY_RULES, type DeliveryRules } from '../policy/delivery.js';
import {
  downloadSchema,
  guardProblem,
  resolveDownload,
  type DownloadLimits,
} from '../images/download-options.js';
import { MAX_POST_BYTES, MAX_POST_RESULTS } from '../policy/learned-limits.js';
import type { FailureLogOptions } from '../observe/failure-log.js';
import { definePipeline, type Pipeline, type PipelineDefinition } from '../executors/pipeline.js';

/** Defaults of the worker, one sentence each. Durations in milliseconds. */
export const WORKER_DEFAULTS = {
  /** Handler calls side by side. */
  concurrency: 4,
  /** Tasks reserved at once at most; how many is measured, against the lease. */
  maxBatchSize: 64,
  /** Tasks in hand at most, reserved and not yet accepted by the server. */
  maxHeld: 256,
  /** Downloads side by side at most; how many is found out. */
  downloadConcurrency: 16,
  /** Images in memory at most, in bytes. */
  imageBudgetBytes: 256 * 1024 * 1024,
  /** Computed results in memory above which nothing is reserved, in bytes. */
  outboxBytes: 256 * 1024 * 1024,
  /** Bytes in one post, unless a single result is larger: well below the documented proxy limit of 100 MB. */
  maxPostBytes: MAX_POST_BYTES,
  /** Results in one post. */
  maxPostResults: MAX_POST_RESULTS,
  /** How long a result waits for company before it is posted. */
  lingerMs: 500,
  /** Wait between two looks for work when there was none, ±25 %. */
  pollIntervalMs: 5_000,
  /** From a stop to its end: Kubernetes gives 30 s before it kills. */
  graceMs: 25_000,
  /** A handler that takes longer is aborted and its image reported as failed; until enough calls are measured to know better. */
  processTimeoutMs: 300_000,
  /** Idle heartbeat: the server shows a service as offline after 60 s of silence (contract §4.7). */
  heartbeatMs: 25_000,
} as const;

/** Where and how much to spool. Sizes in bytes, durations in milliseconds. */
export interface SpoolOptions {
  /** A directory on a local disk, for this worker alone. */
  readonly directory: string;
  /** Bytes on disk at most; then nothing is reserved until the server has taken some. Default 512 MiB. */
  readonly maxBytes?: number | undefined;
  /** Files on disk at most. Default 10,000. */
  readonly maxFiles?: number | undefined;
  /** Results older than this are not posted at a start: their job has most likely moved on. Default 1,800,000. */
  readonly maxReplayAgeMs?: number | undefined;
}

/** Defaults of {@link SpoolOptions}. */
export const SPOOL_DEFAULTS = {
  /** Some hundred posts of the largest usual size. */
  maxBytes: 512 * 1024 * 1024,
  /** Directories get slow with more. */
  maxFiles: 10_000,
  /** Servers of the `token` dialect end a job after 10 silent minutes. */
  maxReplayAgeMs: 30 * 60_000,
} as const;

/** Options of `AntennaWorker`. */
export interface AntennaWorkerOptions {
  readonly client: AntennaClient;
  /** What the worker can do; of `definePipeline`, or the definition itself. */
  readonly pipelines: readonly (Pipeline | PipelineDefinition)[];
  /** Ids of the projects to register with and to take jobs of. Empty: register nowhere, take jobs of all visible projects. */
  readonly projects?: readonly Id[] | undefined;
  /** Ids of the only jobs to take tasks of, for a run that does one job and ends. Default: every open job of the pipelines. */
  readonly jobs?: readonly Id[] | undefined;
  /** Handler calls side by side. Default 4. */
  readonly concurrency?: number | undefined;
  /** Tasks reserved at once at most. Default 64; the measured times decide below that. */
  readonly maxBatchSize?: number | undefined;
  /** Tasks in hand at most, reserved and not yet accepted by the server. Default 256; the measured times decide below that. */
  readonly maxHeld?: number | undefined;
  /** Downloads side by side at most. Default 16; how many is found out. */
  readonly downloadConcurrency?: number | undefined;
  /** Bytes of images in memory at most. Default 256 MiB. */
  readonly imageBudgetBytes?: number | undefined;
  /** Bytes of computed results in memory above which nothing is reserved. Default 256 MiB. */
  readonly outboxBytes?: number | undefined;
  /** Bytes in one post at most, unless a single result is larger. Default 8 MiB; lowered when the server refuses a size. */
  readonly maxPostBytes?: number | undefined;
  /** Results in one post at most. Default 50. */
  readonly maxPostResults?: number | undefined;
  /** Milliseconds that a result waits for company before it is posted. Default 500; none when its lease is short. */
  readonly lingerMs?: number | undefined;
  /** Milliseconds between two looks for work when there was none, ±25 %. Default 5,000. */
  readonly pollIntervalMs?: number | undefined;
  /** Milliseconds from a stop to its end. Default 25,000. */
  readonly graceMs?: number | undefined;
  /**
   * Milliseconds after which a handler is aborted and its image reported as failed. Default 300,000 at first, then four times the
   * slowest measured calls, and at least 60,000.
   */
  readonly processTimeoutMs?: number | undefined;
  /**
   * Visibility timeout of a task in milliseconds. The server does not tell it. Default by dialect: 300,000 (`token`), 30,000 (`api-key`
   * and unknown).
   */
  readonly leaseMs?: number | undefined;
  /** Deliveries of a task at most. Default by dialect: 2 (`token`), 5 (`api-key`). */
  readonly maxDeliveries?: number | undefined;
  /** Keeps computed results on disk until the server has them, through crashes too. Default: in memory only. */
  readonly spool?: SpoolOptions | undefined;
  /**
   * A file that gets a line of JSON for every image that ended in an error or lapsed, such as `failures.jsonl`; mode 0600, at most
   * 10 MiB and as much again in `failures.jsonl.1`. One worker a file. Default: none.
   */
  readonly failures?: string | FailureLogOptions | undefined;
  /**
   * Limits of image downloads. Defaults: 30 s, 100 MiB, 5 redirects, 3 attempts, any content type but those of pages, any host, no
   * checksum, the client's proxy.
   */
  readonly download?: Partial<DownloadLimits> | undefined;
  /** A `fetch` for the images in place of undici, for tests. */
  readonly fetch?: FetchLike | undefined;
  /** Register the pipelines at start. Default true. */
  readonly register?: boolean | undefined;
  /** Source of jitter in [0, 1), for tests. */
  readonly random?: (() => number) | undefined;
}

/** The options after checks and defaults. */
export interface ResolvedWorkerOptions {
  readonly client: AntennaClient;
  readonly pipelines: ReadonlyMap<string, Pipeline>;
  readonly projects: readonly number[];
  readonly jobs: readonly number[] | undefined;
  readonly concurrency: number;
  readonly maxBatchSize: number;
  readonly maxHeld: number;
  readonly downloadConcurrency: number;
  readonly imageBudgetBytes: number;
  readonly outboxBytes: number;
  readonly maxPostBytes: number;
  readonly maxPostResults: number;
  readonly lingerMs: number;
  readonly pollIntervalMs: number;
  readonly graceMs: number;
  /** Undefined: derived from measured times. */
  readonly processTimeoutMs: number | undefined;
  readonly rules: DeliveryRules;
  readonly spool: SpoolOptions | undefined;
  readonly failures: FailureLogOptions | undefined;
  readonly download: DownloadLimits;
  readonly fetch: FetchLike | undefined;
  readonly register: boolean;
  readonly random: () => number;
}

const countSchema = z.int().positive();
const msSchema = z.number().positive();
const SHAPES: { readonly [Name in keyof Required<AntennaWorkerOptions>]: z.ZodType } = {
  client: z.instanceof(AntennaClient, { error: 'must be an AntennaClient' }),
  pipelines: z.array(z.looseObject({})).min(1, 'must hold at least one pipeline'),
  projects: z.array(givenIdSchema),
  jobs: z.array(givenIdSchema).min(1, 'must name a job, or be left out'),
  concurrency: countSchema,
  maxBatchSize: countSchema,
  maxHeld: countSchema,
  downloadConcurrency: countSchema,
  imageBudgetBytes: countSchema,
  outboxBytes: countSchema,
  maxPostBytes: countSchema,
  maxPostResults: countSchema,
  lingerMs: z.number().nonnegative(),
  pollIntervalMs: msSchema,
  graceMs: z.number().nonnegative(),
  processTimeoutMs: msSchema,
  leaseMs: msSchema,
  maxDeliveries: countSchema,
  failures: z.union(
    [z.string().min(1), z.strictObject({ file: z.string().min(1), maxBytes: countSchema.optional() })],
    { error: 'must be the name of a file, or { file, maxBytes }' },
  ),
  spool: z.strictObject({
    directory: z.string().min(1),
    maxBytes: countSchema.optional(),
    maxFiles: countSchema.optional(),
    maxReplayAgeMs: msSchema.optional(),
  }),
  download: downloadSchema,
  fetch: z.custom((value) => typeof value === 'function', 'must be a function'),
  register: z.boolean(),
  random: z.custom((value) => typeof value === 'function', 'must be a function'),
};
const REQUIRED: ReadonlySet<string> = new Set(['client', 'pipelines']);
const optionsSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(SHAPES).map(([name, schema]) => [name, REQUIRED.has(name) ? schema : schema.optional()]),
  ),
);

/** @throws AntennaConfigError naming every wrong option, or the wrong fields of a pipeline. */
export function resolveWorkerOptions(options: AntennaWorkerOptions): ResolvedWorkerOptions {
  const subject = 'Invalid AntennaWorker options';
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) throw new AntennaConfigError(subject, issuesOf(parsed.error));
  const download = resolveDownload(options.download, options.client.proxy);
  const problem = guardProblem(download, options.fetch, process.env);
  if (problem !== undefined)
    throw new AntennaConfigError(subject, [{ path: 'download.publicOnly', message: problem }]);
  const rules = DELIVERY_RULES[options.client.dialect ?? 'api-key'];
  return {
    client: options.client,
    pipelines: pipelineMap(options.pipelines, subject),
    projects: options.projects?.map(Number) ?? [],
    jobs: options.jobs?.map(Number),
    ...numbersOf(options),
    processTimeoutMs: options.processTimeoutMs,
    rules: {
      leaseMs: options.leaseMs ?? rules.leaseMs,
      maxDeliveries: options.maxDeliveries ?? rules.maxDeliveries,
    },
    spool: options.spool,
    failures: typeof options.failures === 'string' ? { file: options.failures } : options.failures,
    download,
    fetch: options.fetch,
    register: options.register ?? true,
    random: options.random ?? Math.random,
  };
}

const NUMBERS = [
  'concurrency',
  'maxBatchSize',
  'maxHeld',
  'downloadConcurrency',
  'imageBudgetBytes',
  'outboxBytes',
  'maxPostBytes',
  'maxPostResults',
  'lingerMs',
  'pollIntervalMs',
  'graceMs',
] as const;

function numbersOf(options: AntennaWorkerOptions): Readonly<Record<(typeof NUMBERS)[number], number>> {
  const entries = NUMBERS.map((name) => [name, options[name] ?? WORKER_DEFAULTS[name]]);
  return Object.fromEntries(entries) as Record<(typeof NUMBERS)[number], number>;
}

function pipelineMap(
  pipelines: readonly (Pipeline | PipelineDefinition)[],
  subject: string,
): ReadonlyMap<string, Pipeline> {
  const map = new Map<string, Pipeline>();
  pipelines.forEach((given, index) => {
    const pipeline = 'detector' in given ? given : definePipeline(given);
    if (map.has(pipeline.slug)) {
      const message = `${JSON.stringify(pipeline.slug)} is given twice`;
      throw new AntennaConfigError(subject, [{ path: `pipelines.${index}.slug`, message }]);
    }
    map.set(pipeline.slug, pipeline);
  });
  return map;
}
