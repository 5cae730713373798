import {
  anyObject,
  boolean,
  datetime,
  float,
  list,
  model,
  nullable,
  optional,
  required,
  text,
  union,
} from './pydantic.js';
import type { Reader } from './pydantic.js';

/** A result as the server holds it after coercion (contract §7.2). */
export interface PostedClassification {
  readonly classification: string;
  readonly labels: string[] | null;
  readonly scores: number[];
  readonly logits: number[] | null;
  readonly inference_time: number | null;
  readonly algorithm: { readonly name: string; readonly key: string };
  readonly terminal: boolean;
  readonly timestamp: string | number;
}

export interface PostedDetection {
  readonly source_image_id: string;
  readonly bbox: {
    readonly x1: number;
    readonly y1: number;
    readonly x2: number;
    readonly y2: number;
  } | null;
  readonly inference_time: number | null;
  readonly algorithm: { readonly name: string; readonly key: string };
  readonly timestamp: string | number;
  readonly crop_image_url: string | null;
  readonly classifications: PostedClassification[];
}

export interface PostedSuccess {
  readonly pipeline: string;
  readonly algorithms: Record<string, unknown>;
  readonly total_time: number;
  readonly source_images: { readonly id: string; readonly url: string }[];
  readonly detections: PostedDetection[];
  readonly errors: unknown;
}

export interface PostedError {
  readonly error: string;
  readonly image_id: string | null;
}

export interface PostedResult {
  readonly reply_subject: string;
  readonly result: PostedSuccess | PostedError;
}

export function isPostedError(result: PostedSuccess | PostedError): result is PostedError {
  return 'error' in result;
}

const none = (): null => null;
const algorithmReference = model<{ name: string; key: string }>({
  name: required(text),
  key: required(text),
});

const classification = model<PostedClassification>({
  classification: required(text),
  labels: optional(nullable(list(text)), none),
  scores: optional(list(float), () => []),
  logits: optional(nullable(list(float)), none),
  inference_time: optional(nullable(float), none),
  algorithm: required(algorithmReference),
  terminal: optional(boolean, () => true),
  timestamp: required(datetime),
});

const boundingBox = model<{ x1: number; y1: number; x2: number; y2: number }>({
  x1: required(float),
  y1: required(float),
  x2: required(float),
  y2: required(float),
});

const detection = model<PostedDetection>({
  source_image_id: required(text),
  bbox: optional(nullable(boundingBox), none),
  inference_time: optional(nullable(float), none),
  algorithm: required(algorithmReference),
  timestamp: required(datetime),
  crop_image_url: optional(nullable(text), none),
  classifications: optional(list(classification), () => []),
});

const anything: Reader<unknown> = (value) => value;

const success = model<PostedSuccess>({
  pipeline: required(text),
  algorithms: optional(anyObject, () => ({})),
  total_time: required(float),
  source_images: required(
    list(model<{ id: string; url: string }>({ id: required(text), url: required(text) })),
  ),
  detections: required(list(detection)),
  errors: optional(anything, none),
});

const failure = model<PostedError>({ error: required(text), image_id: optional(nullable(text), none) });

/** The `results` field of `POST jobs/{id}/result/`: all or nothing (T33), success before error (T36). */
export const postedResults: Reader<PostedResult[]> = list(
  model<PostedResult>({ reply_subject: required(text), result: required(union(success, failure)) }),
);
