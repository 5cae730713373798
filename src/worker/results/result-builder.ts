import { type AlgorithmConfig, CLASSIFIER_TASK_TYPES } from '../../contract/registration.js';
import { isNumbers, jsonObjectSchema } from '../../contract/common.js';
import type { AlgorithmReference, Classification, Detection, SuccessResult } from '../../contract/results.js';
import type { Task } from '../../contract/tasks.js';
import { plainNumbers } from '../../resources/float32.js';
import { PermanentTaskError } from '../handler/task-errors.js';
import type { Pipeline } from '../executors/pipeline.js';
import type { HandlerClassification, HandlerDetection, ProcessResult } from '../handler/handler.js';

/** When and how long, for the result's own fields. */
export interface ResultTiming {
  /** Moment of the result, as `Date.toISOString` writes it: with `Z`, or the server takes it for New York time (T40). */
  readonly timestamp: string;
  readonly totalTimeMs: number;
  /** The configuration that was used, unless the handler says another. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Completes what a handler returned to what the server can save: image id on every detection (T38), algorithm references, the
 * pipeline's own slug (T37), one image (T34), times with `Z`. A handler's mistake becomes that task's error here; accepted with a
 * 200, it would fail in the background, unseen (contract §7.5).
 * @throws PermanentTaskError naming the detection and the field.
 */
export function buildSuccess(
  pipeline: Pipeline,
  task: Pick<Task, 'image_id' | 'image_url'>,
  output: ProcessResult,
  timing: ResultTiming,
): SuccessResult {
  return {
    ...buildEnvelope(pipeline, task, output, timing),
    detections: detectionsOf(output).map((detection, index) =>
      buildDetection(pipeline, task, detection, `detections.${index}`, timing.timestamp),
    ),
  };
}

/** A result without its detections, for building a large one piece by piece. */
export function buildEnvelope(
  pipeline: Pipeline,
  task: Pick<Task, 'image_id' | 'image_url'>,
  output: ProcessResult,
  timing: ResultTiming,
): Omit<SuccessResult, 'detections'> {
  const envelope = {
    pipeline: pipeline.slug,
    total_time: timing.totalTimeMs / 1000,
    source_images: [{ id: task.image_id, url: task.image_url }],
  };
  const config = configOf(output) ?? timing.config;
  return config === undefined ? envelope : { ...envelope, config };
}

function configOf(output: ProcessResult): ProcessResult['config'] {
  const config: unknown = (output as Partial<ProcessResult> | undefined)?.config;
  if (config === undefined) return undefined;
  const parsed = jsonObjectSchema.safeParse(config);
  if (!parsed.success) throw mistake('config must be an object');
  return parsed.data;
}

/** @throws PermanentTaskError when the handler returned none. */
export function detectionsOf(output: ProcessResult): readonly HandlerDetection[] {
  const detections: unknown = (output as Partial<ProcessResult> | undefined)?.detections;
  if (!Array.isArray(detections))
    throw mistake('the handler returned no detections array; return { detections: [] } for none');
  refuseUnknown(output, RESULT_FIELDS, '');
  return detections as HandlerDetection[];
}

/** One detection of {@link buildSuccess}. @throws PermanentTaskError naming the field. */
export function buildDetection(
  pipeline: Pipeline,
  task: Pick<Task, 'image_id'>,
  detection: HandlerDetection,
  path: string,
  timestamp: string,
): Detection {
  refuseUnknown(detection, DETECTION_FIELDS, path);
  const { bbox, crop_image_url, inference_time, rotation, features, classifications = [] } = detection;
  if (bbox !== null && !isBox(bbox)) {
    throw mistake(
      `${path}.bbox must be { x1, y1, x2, y2 } in finite pixels, with x1 < x2 and y1 < y2, or null`,
    );
  }
  const algorithm = algorithmOf(pipeline, detection.algorithm ?? pipeline.detector.key, `${path}.algorithm`);
  if (algorithm.key !== pipeline.detector.key) {
    throw mistake(
      `${path}.algorithm must be the pipeline's detector ${JSON.stringify(pipeline.detector.key)}`,
    );
  }
  return {
    source_image_id: task.image_id,
    bbox,
    algorithm: reference(algorithm),
    timestamp,
    ...(crop_image_url === undefined ? {} : { crop_image_url }),
    ...(inference_time === undefined ? {} : { inference_time }),
    ...(rotation === undefined ? {} : { rotation: checkedRotation(rotation, path) }),
    ...featuresOf(pipeline, algorithm.key, features, path),
    classifications: classifications.map((classification, index) =>
      buildClassification(pipeline, classification, `${path}.classifications.${index}`, timestamp),
    ),
  };
}

function buildClassification(
  pipeline: Pipeline,
  classification: HandlerClassification,
  path: string,
  timestamp: string,
): Classification {
  refuseUnknown(classification, CLASSIFICATION_FIELDS, path);
  const algorithm = algorithmOf(
    pipeline,
    classification.algorithm ?? onlyClassifier(pipeline, path),
    `${path}.algorithm`,
  );
  const { scores, logits, terminal, features } = classification;
  if (!isNumbers(scores) || scores.length === 0) {
    throw mistake(`${path}.scores must be a non-empty array of finite numbers`);
  }
  const data = algorithm.category_map?.data;
  if (data !== undefined && scores.length > data.length) {
    throw mistake(
      `${path}.scores has ${scores.length} entries, but the category map of ${JSON.stringify(algorithm.key)} has ${data.length}`,
    );
  }
  if (logits !== undefined && !isNumbers(logits)) {
    throw mistake(`${path}.logits must be an array of finite numbers`);
  }
  const name = classification.classification ?? data?.[argmax(scores)]?.label;
  if (name === undefined || name === '' || name.length > 255) {
    throw mistake(`${path}.classification must be a name of 1 to 255 characters`);
  }
  return {
    classification: name,
    scores: plainNumbers(scores),
    ...(logits === undefined ? {} : { logits: plainNumbers(logits) }),
    ...featuresOf(pipeline, algorithm.key, features, path),
    algorithm: reference(algorithm),
    ...(terminal === undefined ? {} : { terminal }),
    timestamp,
  };
}

const RESULT_FIELDS: Fields<ProcessResult> = { detections: true, config: true };
const DETECTION_FIELDS: Fields<HandlerDetection> = {
  bbox: true,
  algorithm: true,
  crop_image_url: true,
  inference_time: true,
  rotation: true,
  features: true,
  classifications: true,
};
const CLASSIFICATION_FIELDS: Fields<HandlerClassification> = {
  algorithm: true,
  classification: true,
  scores: true,
  logits: true,
  features: true,
  terminal: true,
};

/** All names, so that a new one cannot be forgotten here. */
type Fields<Of> = Readonly<Record<keyof Of, true>>;

/** A field that nobody knows is a misspelt one more often than not, and would be lost without a word. */
function refuseUnknown(given: object, fields: object, path: string): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(fields, name) || (given as Readonly<Record<string, unknown>>)[name] === undefined)
      continue;
    const where = path === '' ? name : `${path}.${name}`;
    throw mistake(`${where} is not known; the fields are ${Object.keys(fields).join(', ')}`);
  }
}

function checkedRotation(rotation: unknown, path: string): number {
  if (typeof rotation === 'number' && Number.isFinite(rotation)) return rotation;
  throw mistake(`${path}.rotation must be a finite number`);
}

function featuresOf(
  { featureLengths }: Pipeline,
  key: string,
  features: unknown,
  path: string,
): { features?: readonly number[] } {
  if (features === undefined) return {};
  if (!isNumbers(features) || features.length === 0)
    throw mistake(`${path}.features must be a non-empty array of finite numbers`);
  const length = featureLengths?.get(key);
  if (length !== undefined && features.length !== length)
    throw mistake(
      `${path}.features has ${features.length} numbers, but ${JSON.stringify(key)} declares ${length}`,
    );
  return { features: plainNumbers(features) };
}

function onlyClassifier(pipeline: Pipeline, path: string): string {
  const classifiers = [...pipeline.algorithms.values()].filter(({ task_type }) =>
    CLASSIFIER_TASK_TYPES.includes(task_type ?? ''),
  );
  const [only] = classifiers;
  if (only !== undefined && classifiers.length === 1) return only.key;
  throw mistake(
    `${path}.algorithm is missing, and the pipeline has ${classifiers.length} classifiers to choose from`,
  );
}

function algorithmOf(pipeline: Pipeline, key: string, path: string): AlgorithmConfig {
  const algorithm = pipeline.algorithms.get(key);
  if (algorithm) return algorithm;
  const known = [...pipeline.algorithms.keys()].join(', ');
  throw mistake(`${path} is ${JSON.stringify(key)}, which the pipeline does not have (it has ${known})`);
}

function reference(algorithm: AlgorithmConfig): AlgorithmReference {
  return { name: algorithm.name, key: algorithm.key };
}

function isBox(box: unknown): boolean {
  if (typeof box !== 'object' || box === null || Array.isArray(box)) return false;
  const { x1, y1, x2, y2 } = box as Record<string, unknown>;
  if (![x1, y1, x2, y2].every((side) => Number.isFinite(side))) return false;
  return Number(x1) < Number(x2) && Number(y1) < Number(y2);
}

function argmax(scores: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < scores.length; index++) {
    if ((scores[index] ?? 0) > (scores[best] ?? 0)) best = index;
  }
  return best;
}

function mistake(text: string): PermanentTaskError {
  return new PermanentTaskError(`invalid result: ${text}`);
}
