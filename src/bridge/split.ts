import type { BoundingBox } from '../contract/results.js';
import type { BatchOutcome } from '../worker/executors/executor.js';
import type { HandlerClassification, HandlerDetection } from '../worker/handler/handler.js';
import { PushFailureError } from './errors.js';
import { firstLine } from './answers.js';

type Json = Readonly<Record<string, unknown>>;

/** What a pipeline takes, for looking at an answer. */
export interface AnswerOptions {
  /** Keys of its algorithms. */
  readonly algorithms: ReadonlySet<string>;
  readonly detector: string;
  /** The request had boxes: the service names the algorithm of the request, which the pipeline need not have. */
  readonly hadBoxes: boolean;
}

/** What was left out of an answer. */
export interface Dropped {
  /** Images and detections of images that were not asked for. */
  foreign: number;
  /** Images named twice, and detections that equal another. */
  duplicates: number;
  /** Boxes without an area. */
  emptyBoxes: number;
  /** Classifications without scores. */
  withoutScores: number;
}

/**
 * An answer taken apart:
 * - `split`: an outcome for each image.
 * - `mismatch`: it is no answer of the push API.
 * - `unknown-algorithm`: the service may have been replaced by a newer one.
 */
export type Split =
  | {
      readonly kind: 'split';
      readonly outcomes: ReadonlyMap<string, BatchOutcome>;
      readonly dropped: Dropped;
    }
  | { readonly kind: 'mismatch'; readonly reason: string }
  | { readonly kind: 'unknown-algorithm'; readonly key: string };

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Gives every image of the request its detections (PUSH_API §4, §7.6, §7.8). Times are not looked at: the worker stamps a result when it is
 * made, since a service's stamps name no zone.
 * @param imageIds - of the request.
 */
export function splitAnswer(body: Json, imageIds: readonly string[], options: AnswerOptions): Split {
  const { source_images: sources, detections } = body;
  if (!Array.isArray(sources) || !Array.isArray(detections))
    return { kind: 'mismatch', reason: 'its answer has no lists source_images and detections' };
  const dropped: Dropped = { foreign: 0, duplicates: 0, emptyBoxes: 0, withoutScores: 0 };
  const images = new Map<string, ImageAnswer>();
  const asked = new Set(imageIds);
  for (const source of sources as readonly unknown[]) {
    const id = idOf(isObject(source) ? source['id'] : undefined);
    if (id === undefined || !asked.has(id)) dropped.foreign += 1;
    else if (images.has(id)) dropped.duplicates += 1;
    else images.set(id, new ImageAnswer(isObject(source) ? source['error'] : undefined));
  }
  for (const [index, given] of (detections as readonly unknown[]).entries()) {
    const id = idOf(isObject(given) ? given['source_image_id'] : undefined);
    const image = id === undefined ? undefined : images.get(id);
    if (!image || !isObject(given)) {
      dropped.foreign += 1;
      continue;
    }
    const unknown = unknownAlgorithm(given, options);
    if (unknown !== undefined) return { kind: 'unknown-algorithm', key: unknown };
    image.add(given, `detections.${index}`, options, dropped);
  }
  const outcomes = new Map<string, BatchOutcome>();
  for (const id of asked) outcomes.set(id, images.get(id)?.outcome() ?? notProcessed());
  return { kind: 'split', outcomes, dropped };
}

/** What the answer says of one image. */
class ImageAnswer {
  readonly #detections: HandlerDetection[] = [];
  readonly #seen = new Set<string>();
  #error: PushFailureError | undefined;

  constructor(error: unknown) {
    if (typeof error === 'string' && error !== '')
      this.#error = new PushFailureError(`the service reports: ${firstLine(error)}`);
  }

  add(given: Json, path: string, options: AnswerOptions, dropped: Dropped): void {
    const bbox = given['bbox'];
    if (bbox !== null && !isBox(bbox)) {
      // Left out, it would make "nothing found" of a service that writes all of its boxes in another form.
      this.#error ??= new PushFailureError(
        `the service answered with ${path}.bbox that is not { x1, y1, x2, y2 } in finite numbers`,
      );
      return;
    }
    if (bbox !== null && (bbox.x1 >= bbox.x2 || bbox.y1 >= bbox.y2)) {
      dropped.emptyBoxes += 1;
      return;
    }
    const detection = detectionOf(given, bbox, options, dropped);
    const { inference_time: _time, ...identity } = detection;
    const key = JSON.stringify(identity);
    if (this.#seen.has(key)) {
      dropped.duplicates += 1;
      return;
    }
    this.#seen.add(key);
    this.#detections.push(detection);
  }

  outcome(): BatchOutcome {
    if (this.#error) return { ok: false, error: this.#error };
    return { ok: true, result: { detections: this.#detections } };
  }
}

function detectionOf(
  given: Json,
  bbox: BoundingBox | null,
  { algorithms, detector, hadBoxes }: AnswerOptions,
  dropped: Dropped,
): HandlerDetection {
  const key = keyOf(given['algorithm']);
  const { inference_time: time, crop_image_url: crop, rotation } = given;
  const listed: unknown = given['classifications'];
  const classifications = (Array.isArray(listed) ? (listed as readonly unknown[]) : [])
    .filter(isObject)
    .flatMap((item) => classificationOf(item, dropped));
  return {
    bbox: bbox === null ? null : { x1: bbox.x1, y1: bbox.y1, x2: bbox.x2, y2: bbox.y2 },
    // Boxes that were given come back with the algorithm of the request, which the server cannot save on this pipeline.
    algorithm: key !== undefined && (!hadBoxes || algorithms.has(key)) ? key : detector,
    ...(typeof time === 'number' && Number.isFinite(time) ? { inference_time: time } : {}),
    ...(typeof crop === 'string' && crop !== '' ? { crop_image_url: crop } : {}),
    ...(typeof rotation === 'number' && Number.isFinite(rotation) ? { rotation } : {}),
    ...featuresOf(given),
    classifications,
  };
}

/** Scores are passed on as they came, with the service's own label: the five best of a thousand do not line up with the map. */
function classificationOf(given: Json, dropped: Dropped): readonly HandlerClassification[] {
  const { classification, scores, logits, terminal } = given;
  if (!isNumbers(scores) || scores.length === 0) {
    dropped.withoutScores += 1;
    return [];
  }
  const algorithm = keyOf(given['algorithm']);
  return [
    {
      ...(algorithm === undefined ? {} : { algorithm }),
      ...(typeof classification === 'string' ? { classification } : {}),
      scores,
      ...(isNumbers(logits) && logits.length > 0 ? { logits } : {}),
      ...featuresOf(given),
      ...(typeof terminal === 'boolean' ? { terminal } : {}),
    },
  ];
}

/** Sent by services to come, for servers to come. */
function featuresOf({ features }: Json): { readonly features?: readonly number[] } {
  return isNumbers(features) && features.length > 0 ? { features } : {};
}

/** Key of an algorithm in a detection that the pipeline does not have. */
function unknownAlgorithm(given: Json, { algorithms, hadBoxes }: AnswerOptions): string | undefined {
  const named = hadBoxes ? [] : [keyOf(given['algorithm'])];
  const classifications: unknown = given['classifications'];
  if (Array.isArray(classifications))
    for (const item of classifications as readonly unknown[])
      if (isObject(item)) named.push(keyOf(item['algorithm']));
  return named.find((key) => key !== undefined && !algorithms.has(key));
}

function keyOf(algorithm: unknown): string | undefined {
  return isObject(algorithm) && typeof algorithm['key'] === 'string' ? algorithm['key'] : undefined;
}

function idOf(id: unknown): string | undefined {
  if (typeof id === 'string') return id;
  return typeof id === 'number' ? String(id) : undefined;
}

function isBox(box: unknown): box is BoundingBox {
  return isObject(box) && ['x1', 'y1', 'x2', 'y2'].every((side) => Number.isFinite(box[side]));
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isFinite(item));
}

function notProcessed(): BatchOutcome {
  const error = new PushFailureError('the service did not process the image: its answer does not name it');
  return { ok: false, error };
}
