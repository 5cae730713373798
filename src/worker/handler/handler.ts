import type { BoundingBox } from '../../contract/results.js';
import type { TaskDetection } from '../../contract/task-detections.js';
import type { Task } from '../../contract/tasks.js';
import type { Logger } from '../../log/logger.js';

/** A downloaded image, as a handler gets it. */
export interface TaskImage {
  /** Id of the capture, as text. */
  readonly id: string;
  readonly url: string;
  readonly bytes: Buffer;
  /** As the image's server said, such as `image/jpeg`; undefined if it did not. */
  readonly contentType: string | undefined;
  readonly jobId: number;
  /** Boxes that the server knows already and wants classified again; empty on today's servers, which send none. */
  readonly detections: readonly TaskDetection[];
  /** The task as the server sent it, with fields that this package does not know. */
  readonly task: Task;
}

/** What a handler gets beside the image. */
export interface ProcessContext<Config = Readonly<Record<string, unknown>>> {
  /** Aborts when the work has become pointless or the worker must end now. A graceful stop does not abort it. */
  readonly signal: AbortSignal;
  /**
   * The task's configuration, on servers that send one; empty otherwise, or what the pipeline's `configSchema` makes of an empty one. It is the
   * same for all tasks of a job. Keys that begin with `request_` are for the server and left out.
   */
  readonly config: Config;
  readonly logger: Logger;
  /** When the server will give the task to another worker. Finishing later is allowed, and usually double work. */
  readonly deadline: { remainingMs(): number };
}

/** What a handler gets beside its images, wherever it runs. */
export type HandlerContext<Config = Readonly<Record<string, unknown>>> = ProcessContext<Config> & {
  /** Aborts when a graceful stop begins: finish what is in hand, and start nothing long. */
  readonly stopping: AbortSignal;
};

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
  /**
   * The classifier's feature vector. For servers to come: it is sent, and today's ignore it. Its length is checked if `featureLengths` of the
   * pipeline has one for the algorithm.
   */
  readonly features?: ArrayLike<number> | undefined;
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
  /** By how much the box is turned. For servers to come: it is sent, and today's ignore it. */
  readonly rotation?: number | undefined;
  /** The detector's feature vector, for servers to come, as that of a classification. */
  readonly features?: ArrayLike<number> | undefined;
  readonly classifications?: readonly HandlerClassification[] | undefined;
}

/** What a handler returns: an empty list says that the image was looked at and holds nothing. */
export interface ProcessResult {
  readonly detections: readonly HandlerDetection[];
  /** The configuration that was used, if it is not the one that the handler was given. The result tells it; today's servers ignore it. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
}

/** What a batch handler returns: one result or error per image in the order of the batch, or a map of them by image id. */
export type BatchOutput = readonly (ProcessResult | Error)[] | ReadonlyMap<string, ProcessResult | Error>;

/** Finds and names the insects of one image. */
export type ProcessHandler<Config = Readonly<Record<string, unknown>>> = (
  image: TaskImage,
  context: HandlerContext<Config>,
) => ProcessResult | Promise<ProcessResult>;

/**
 * Finds and names the insects of several images of one job at once.
 * @returns one result or error per image, in order, or a map of them by image id; an image that is missing in the map failed.
 */
export type ProcessBatchHandler<Config = Readonly<Record<string, unknown>>> = (
  images: readonly TaskImage[],
  context: HandlerContext<Config>,
) => BatchOutput | Promise<BatchOutput>;

/** Loads and warms a model. May return the milliseconds that one image takes, which saves the worker the first careful steps. */
export type WarmUp = (context: HandlerContext) => unknown;
