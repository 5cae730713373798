import { z } from 'zod';
import { finiteSchema, hasKey, jsonObjectSchema, numbersSchema, shapeOf } from './common.js';
import { isZonedTimestamp } from './timestamps.js';

/** Which algorithm said it: `key` must be registered on the posted pipeline, `name` is required and unused. */
export const algorithmReferenceSchema = z.strictObject({ name: z.string(), key: z.string().min(1) });
export type AlgorithmReference = z.infer<typeof algorithmReferenceSchema>;

/** Box in pixels of the source image. An object: the server refuses an array (trap T42). */
export const boundingBoxSchema = z.strictObject({
  x1: finiteSchema,
  y1: finiteSchema,
  x2: finiteSchema,
  y2: finiteSchema,
});
export type BoundingBox = z.infer<typeof boundingBoxSchema>;

/**
 * A moment, with `Z` or an offset. Without one the server takes it for New York time and stores it hours off (trap T40).
 * A date that does not exist costs the whole batch a 400 (T33). `new Date().toISOString()` is right.
 */
export const zonedTimestampSchema = z.string().refine(isZonedTimestamp, {
  error: 'must be an ISO 8601 time with Z or an offset, such as new Date().toISOString()',
});

/** `scores` must not be empty, or saving fails in the background after a 200 (trap T39). */
export const classificationSchema = z.strictObject({
  classification: z.string().min(1).max(255),
  scores: numbersSchema.refine((scores) => scores.length > 0, 'must not be empty'),
  logits: numbersSchema.nullish(),
  /** To come: the classifier's feature vector. Today's servers ignore it; the one that is to take it wants 2,048 numbers, no more and no fewer. */
  features: numbersSchema.refine((features) => features.length > 0, 'must not be empty').nullish(),
  labels: z.array(z.string()).nullish(),
  inference_time: finiteSchema.nullish(),
  algorithm: algorithmReferenceSchema,
  terminal: z.boolean().optional(),
  timestamp: zonedTimestampSchema,
});
export type Classification = z.infer<typeof classificationSchema>;

/** One insect found. `source_image_id` must be the task's image: a wrong one shifts species between boxes (trap T38). */
export const detectionSchema = z.strictObject({
  source_image_id: z.string().min(1),
  bbox: boundingBoxSchema.nullish(),
  /** To come, ignored by today's servers: by how much the box is turned. */
  rotation: finiteSchema.nullish(),
  /** To come, ignored by today's servers: the detector's feature vector. */
  features: numbersSchema.refine((features) => features.length > 0, 'must not be empty').nullish(),
  algorithm: algorithmReferenceSchema,
  timestamp: zonedTimestampSchema,
  inference_time: finiteSchema.nullish(),
  crop_image_url: z.string().max(255).nullish(),
  classifications: z.array(classificationSchema).optional(),
});
export type Detection = z.infer<typeof detectionSchema>;

/**
 * A processed image. Exactly one source image: with none the image is lost silently (trap T27), with several the others
 * are delivered again (trap T34). An `error` field is refused, because it turns a malformed success into a failure (T36).
 */
export const successResultSchema = z
  .strictObject({
    pipeline: z.string().min(1),
    total_time: finiteSchema.nonnegative(),
    source_images: z
      .array(z.strictObject({ id: z.string().min(1), url: z.string() }))
      .length(1, 'must hold exactly one image: the server acknowledges one task per result'),
    detections: z.array(detectionSchema),
    config: jsonObjectSchema.nullish(),
  })
  .superRefine((result, context) => {
    const imageId = result.source_images[0]?.id;
    result.detections.forEach((detection, index) => {
      if (detection.source_image_id === imageId) return;
      context.addIssue({
        code: 'custom',
        path: ['detections', index, 'source_image_id'],
        message: `must equal the id of the result's source image (${imageId ?? 'none'})`,
      });
    });
  });
export type SuccessResult = z.infer<typeof successResultSchema>;

/**
 * A final verdict of failure. The server never retries it (trap T26) and, without `image_id`, counts nothing and never
 * delivers the image again (trap T27): it is required here.
 */
export const errorResultSchema = z.strictObject({ error: z.string().min(1), image_id: z.string().min(1) });
export type ErrorResult = z.infer<typeof errorResultSchema>;

/** Anything that names a part of a success is checked as one, so that a stray `error` field is named and not obeyed. */
function resultShape(value: unknown): z.ZodType<SuccessResult | ErrorResult> {
  const partOfSuccess = ['pipeline', 'source_images', 'detections'].some((key) => hasKey(value, key));
  const partOfError = hasKey(value, 'error') || hasKey(value, 'image_id');
  return partOfError && !partOfSuccess ? errorResultSchema : successResultSchema;
}

/** One outcome, tied to the delivery by its `reply_subject`; null or missing is a 400 for the whole batch (T35). */
export const taskResultSchema = z.strictObject({
  reply_subject: z.string().min(1),
  result: shapeOf(resultShape),
});
export type TaskResult = z.infer<typeof taskResultSchema>;

/** 200 means queued, nothing more: saving happens later and is not reported (trap T32). */
export const resultsResponseSchema = z.looseObject({
  status: z.string(),
  job_id: z.number(),
  results_queued: z.int().nonnegative(),
  tasks: z
    .array(
      z.looseObject({
        reply_subject: z.string(),
        status: z.string().optional(),
        task_id: z.string().nullish(),
      }),
    )
    .default([]),
});
export type ResultsResponse = z.infer<typeof resultsResponseSchema>;

/** True for an error result. */
export function isErrorResult(result: TaskResult['result']): result is ErrorResult {
  return 'error' in result;
}
