import {
  type AlgorithmConfig,
  type PipelineConfig,
  pipelineConfigSchema,
} from '../../contract/registration.js';
import { AntennaConfigError, type ConfigIssue } from '../../errors/config.js';
import { isDetector, registrationIssues } from '../../registration/precheck.js';
import { issuesOf } from '../../contract/issues.js';
import type { Clock } from '../../time/clock.js';
import type { ConfigSchema } from '../handler/task-config.js';
import type { Executor } from './executor.js';
import type { ProcessBatchHandler, ProcessHandler, WarmUp } from '../handler/handler.js';
import { InlineExecutor } from './inline.js';

/** A pipeline as registered, and the code behind it: one of `process`, `processBatch` and `executor`. */
export interface PipelineDefinition<Config = Readonly<Record<string, unknown>>> extends PipelineConfig {
  readonly process?: ProcessHandler<Config> | undefined;
  /** For models that are faster on several images at once. */
  readonly processBatch?: ProcessBatchHandler<Config> | undefined;
  /** Images in one call of `processBatch` at most; fewer when the lease is short. Default 8 with `processBatch`, else 1. */
  readonly batchSize?: number | undefined;
  /** Called before the first reservation, so that no task waits for the model to load. */
  readonly warmUp?: WarmUp | undefined;
  /**
   * Runs the handler elsewhere, such as in a thread or a child process. The worker closes it when a run ends: give a function that
   * makes one if `run()` is called more than once.
   */
  readonly executor?: Executor | (() => Executor) | undefined;
  /**
   * A zod schema of an object, for the configuration that servers to come send with a task: handlers get what it makes of it, its defaults
   * included, and its type. A configuration that it refuses is that task's error, before its image is downloaded.
   */
  readonly configSchema?: ConfigSchema<Config> | undefined;
  /**
   * How long the feature vector of an algorithm is, by the algorithm's key. A result with another length is that image's error: a server that
   * takes features refuses the whole post for one of a wrong length.
   */
  readonly featureLengths?: Readonly<Record<string, number>> | undefined;
}

/** A checked {@link PipelineDefinition}. */
export interface Pipeline {
  readonly config: PipelineConfig;
  readonly slug: string;
  /** Makes what runs the handler, for one run of a worker. */
  readonly createExecutor: (clock: Clock) => Executor;
  /** Images in one call of the executor at most. */
  readonly batchSize: number;
  readonly detector: AlgorithmConfig;
  /** By key; the detector included. */
  readonly algorithms: ReadonlyMap<string, AlgorithmConfig>;
  readonly configSchema?: ConfigSchema<object> | undefined;
  /** By key of the algorithm. */
  readonly featureLengths?: ReadonlyMap<string, number> | undefined;
  /** What the executor gets: the image's bytes (default), or its URL alone, with empty `bytes`. */
  readonly images?: 'bytes' | 'url' | undefined;
  /**
   * For pipelines whose `config` may change while a worker runs: the listener registers them again, and is waited for.
   * @returns a function that takes the listener away.
   */
  readonly onConfigChange?: ((listener: () => Promise<void>) => () => void) | undefined;
}

/** Images in one call of `processBatch` unless the pipeline says otherwise. */
const DEFAULT_BATCH_SIZE = 8;

/**
 * Checks a pipeline, so that a mistake shows at start and not as a result that can never be saved.
 * @throws AntennaConfigError naming every wrong field.
 */
export function definePipeline<Config = Readonly<Record<string, unknown>>>(
  definition: PipelineDefinition<Config>,
): Pipeline {
  const isGiven: unknown = definition;
  if (typeof isGiven !== 'object' || isGiven === null)
    throw new AntennaConfigError('Invalid pipeline', [
      { path: '', message: 'must be an object with name, slug, version, algorithms and process' },
    ]);
  const { batchSize, executor, configSchema, featureLengths, ...handlersAndConfig } = definition;
  // A handler's own type of configuration is what the schema, which runs before it, makes.
  const { process, processBatch, warmUp, ...rest } = handlersAndConfig as PipelineDefinition;
  const slug: unknown = definition.slug;
  const subject = `Invalid pipeline ${JSON.stringify(String(slug))}`;
  const parsed = pipelineConfigSchema.safeParse(rest);
  if (!parsed.success) throw new AntennaConfigError(subject, issuesOf(parsed.error));
  const config = parsed.data;
  const issues = registrationIssues([config]).map((issue) => ({
    ...issue,
    path: issue.path.replace('pipelines.0.', ''),
  }));
  issues.push(...handlerIssues(definition as PipelineDefinition), ...comingIssues(definition, config));
  const detector = config.algorithms.find(isDetector);
  if (issues.length > 0 || detector === undefined) throw new AntennaConfigError(subject, issues);
  return {
    config,
    slug: config.slug,
    createExecutor: (clock) => {
      if (executor === undefined) return new InlineExecutor({ process, processBatch, warmUp, clock });
      return typeof executor === 'function' ? executor() : executor;
    },
    batchSize: batchSize ?? (processBatch ? DEFAULT_BATCH_SIZE : 1),
    detector,
    algorithms: new Map(config.algorithms.map((algorithm) => [algorithm.key, algorithm])),
    configSchema: configSchema as ConfigSchema<object> | undefined,
    featureLengths: new Map(Object.entries(featureLengths ?? {})),
  };
}

function handlerIssues(definition: PipelineDefinition): ConfigIssue[] {
  const { process, processBatch, executor, batchSize, warmUp } = definition;
  const issues: ConfigIssue[] = [];
  const given = [process, processBatch, executor].filter((handler) => handler !== undefined);
  const isFunction = (value: unknown): boolean => value === undefined || typeof value === 'function';
  if (given.length !== 1 || !isFunction(process))
    issues.push({
      path: 'process',
      message:
        'must be a function (image, context) => { detections }, or give processBatch or executor instead',
    });
  if (!isFunction(processBatch)) issues.push({ path: 'processBatch', message: 'must be a function' });
  if (!isFunction(warmUp)) issues.push({ path: 'warmUp', message: 'must be a function' });
  if (batchSize !== undefined && !(Number.isInteger(batchSize) && batchSize >= 1))
    issues.push({ path: 'batchSize', message: 'must be a positive integer' });
  return issues;
}

/** Mistakes in what is for servers to come. */
function comingIssues<Config>(
  { configSchema, featureLengths }: PipelineDefinition<Config>,
  config: PipelineConfig,
): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  if (
    configSchema !== undefined &&
    typeof (configSchema as Partial<ConfigSchema<Config>> | null)?.safeParse !== 'function'
  )
    issues.push({ path: 'configSchema', message: 'must be a zod schema, such as z.object({ … })' });
  const keys = config.algorithms.map(({ key }) => key);
  for (const [key, length] of Object.entries(featureLengths ?? {})) {
    if (!keys.includes(key))
      issues.push({
        path: `featureLengths.${key}`,
        message: `is no algorithm of this pipeline (it has ${keys.join(', ')})`,
      });
    if (!Number.isInteger(length) || length < 1)
      issues.push({ path: `featureLengths.${key}`, message: 'must be a positive integer' });
  }
  return issues;
}
