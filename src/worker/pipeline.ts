import type { AlgorithmConfig } from '../contract/algorithms.js';
import { pipelineConfigSchema, type PipelineConfig } from '../contract/pipelines.js';
import type { BoundingBox } from '../contract/results.js';
import { AntennaConfigError } from '../errors/config.js';
import type { Logger } from '../log/logger.js';
import { isDetector, registrationIssues } from '../registration/precheck.js';
import { issuesOf } from '../resources/core.js';

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
  /** One score for each label of the category map, in its order. */
  readonly scores: readonly number[];
  readonly logits?: readonly number[] | undefined;
  /** False for a step on the way to another classification. Default true on the server. */
  readonly terminal?: boolean | undefined;
}

/** One insect found, as a handler returns it. */
export interface HandlerDetection {
  /** In pixels of the source image; null marks "looked, and found nothing". */
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
  context: ProcessContext,
) => ProcessResult | Promise<ProcessResult>;

/** A pipeline as registered, and the code behind it. */
export interface PipelineDefinition extends PipelineConfig {
  readonly process: ProcessHandler;
}

/** A checked {@link PipelineDefinition}. */
export interface Pipeline {
  readonly config: PipelineConfig;
  readonly slug: string;
  readonly process: ProcessHandler;
  readonly detector: AlgorithmConfig;
  /** By key; the detector included. */
  readonly algorithms: ReadonlyMap<string, AlgorithmConfig>;
}

/**
 * Checks a pipeline, so that a mistake shows at start and not as a result that can never be saved.
 * @throws AntennaConfigError naming every wrong field.
 */
export function definePipeline(definition: PipelineDefinition): Pipeline {
  const { process, ...rest } = definition;
  const subject = `Invalid pipeline ${JSON.stringify(definition.slug)}`;
  const parsed = pipelineConfigSchema.safeParse(rest);
  if (!parsed.success) throw new AntennaConfigError(subject, issuesOf(parsed.error));
  const config = parsed.data;
  const issues = registrationIssues([config]).map((issue) => ({
    ...issue,
    path: issue.path.replace('pipelines.0.', ''),
  }));
  if (typeof process !== 'function')
    issues.push({ path: 'process', message: 'must be a function (image, context) => { detections }' });
  const detector = config.algorithms.find(isDetector);
  if (issues.length > 0 || detector === undefined) throw new AntennaConfigError(subject, issues);
  return {
    config,
    slug: config.slug,
    process,
    detector,
    algorithms: new Map(config.algorithms.map((algorithm) => [algorithm.key, algorithm])),
  };
}
