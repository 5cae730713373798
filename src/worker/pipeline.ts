import type { AlgorithmConfig } from '../contract/algorithms.js';
import { pipelineConfigSchema, type PipelineConfig } from '../contract/pipelines.js';
import type { BoundingBox } from '../contract/results.js';
import { AntennaConfigError, type ConfigIssue } from '../errors/config.js';
import type { Logger } from '../log/logger.js';
import { isDetector, registrationIssues } from '../registration/precheck.js';
import { issuesOf } from '../contract/issues.js';
import type { Clock } from '../time/clock.js';
import type { Executor, HandlerContext } from './executors/executor.js';
import type { BatchOutput } from './executors/handlers.js';
import { InlineExecutor } from './executors/inline.js';

/** A downloaded image, as a handler gets it. */
export interface TaskImage {
  /** Id of the capture, as text. */
  readonly id: string;
  readonly url: string;
  readonly bytes: Buffer;
  /** As the image's server said, such as `image/jpeg`; undefined if it did not. */
  readonly contentType: string | undefined;
  readonly jobId: number;
}

/** What a handler gets beside the image. */
export interface ProcessContext {
  /** Aborts when the work has become pointless or the worker must end now. A graceful stop does not abort it. */
  readonly signal: AbortSignal;
  /** The task's configuration, on servers that send one; `{}` otherwise. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly logger: Logger;
  /** When the server will give the task to another worker. Finishing later is allowed, and usually double work. */
  readonly deadline: { remainingMs(): number };
}

/** A classification as a handler returns it. */
export interface HandlerClassification {
  /** Key of the classifier. May be left out if the pipeline has exactly one. */
  readonly algorithm?: string | undefined;
  /** Name of the taxon. Default: the label at the highest score in the classifier's category map. */
  readonly classification?: string | undefined;
  /**
   * One score for each label of the category map, in its order: an array, or a typed array such as a `Float32Array`, whose values are
   * written with the fewest digits that give the same float32.
   */
  readonly scores: ArrayLike<number>;
  readonly logits?: ArrayLike<number> | undefined;
  /** False for a step on the way to another classification. Default true on the server. */
  readonly terminal?: boolean | undefined;
}

/** One insect found, as a handler returns it. */
export interface HandlerDetection {
  /**
   * In pixels of the image as stored: an orientation tag (EXIF) is not applied, as the Python workers do not apply it. Null marks "looked, and found nothing".
   */
  readonly bbox: BoundingBox | null;
  /** Key of the detector. May be left out: a pipeline has exactly one. */
  readonly algorithm?: string | undefined;
  readonly crop_image_url?: string | undefined;
  /** Seconds. */
  readonly inference_time?: number | undefined;
  readonly classifications?: readonly HandlerClassification[] | undefined;
}

/** What a handler returns: an empty list says that the image was looked at and holds nothing. */
export interface ProcessResult {
  readonly detections: readonly HandlerDetection[];
}

/** Finds and names the insects of one image. */
export type ProcessHandler = (
  image: TaskImage,
  context: HandlerContext,
) => ProcessResult | Promise<ProcessResult>;

/**
 * Finds and names the insects of several images of one job at once.
 * @returns one result or error per image, in order, or a map of them by image id; an image that is missing in the map failed.
 */
export type ProcessBatchHandler = (
  images: readonly TaskImage[],
  context: HandlerContext,
) => BatchOutput | Promise<BatchOutput>;

/** Loads and warms a model. May return the milliseconds that one image takes, which saves the worker the first careful steps. */
export type WarmUp = (context: HandlerContext) => unknown;

/** A pipeline as registered, and the code behind it: one of `process`, `processBatch` and `executor`. */
export interface PipelineDefinition extends PipelineConfig {
  readonly process?: ProcessHandler | undefined;
  /** For models that are faster on several images at once. */
  readonly processBatch?: ProcessBatchHandler | undefined;
  /** Images in one call of `processBatch` at most; fewer when the lease is short. Default 8 with `processBatch`, else 1. */
  readonly batchSize?: number | undefined;
  /** Called before the first reservation, so that no task waits for the model to load. */
  readonly warmUp?: WarmUp | undefined;
  /**
   * Runs the handler elsewhere, such as in a thread or a child process. The worker closes it when a run ends: give a function that
   * makes one if `run()` is called more than once.
   */
  readonly executor?: Executor | (() => Executor) | undefined;
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
export function definePipeline(definition: PipelineDefinition): Pipeline {
  const { process, processBatch, batchSize, warmUp, executor, ...rest } = definition;
  const subject = `Invalid pipeline ${JSON.stringify(definition.slug)}`;
  const parsed = pipelineConfigSchema.safeParse(rest);
  if (!parsed.success) throw new AntennaConfigError(subject, issuesOf(parsed.error));
  const config = parsed.data;
  const issues = registrationIssues([config]).map((issue) => ({
    ...issue,
    path: issue.path.replace('pipelines.0.', ''),
  }));
  issues.push(...handlerIssues(definition));
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
