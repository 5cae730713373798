import { z } from 'zod';
import { finiteSchema } from './common.js';
import type { Task } from './tasks.js';

/**
 * A box that the server knows already and wants classified again. No server sends it with a task today; the shape is that of the push
 * API's requests, which the server builds from the same rows.
 */
export const taskDetectionSchema = z.looseObject({
  bbox: z.looseObject({ x1: finiteSchema, y1: finiteSchema, x2: finiteSchema, y2: finiteSchema }),
  crop_image_url: z.string().nullish(),
  /** What found it: not always a detector of the pipeline that is to classify it. */
  algorithm: z.looseObject({ key: z.string(), name: z.string().optional() }).nullish(),
});
export type TaskDetection = z.infer<typeof taskDetectionSchema>;

/** The boxes of a task, and which entries are none, by their place. */
export interface TaskDetections {
  readonly detections: readonly TaskDetection[];
  readonly leftOut: readonly string[];
}

/** Reads the `detections` of a task, box by box: one that cannot be read costs itself and is named. */
export function readTaskDetections(task: Task): TaskDetections {
  const given = task['detections'];
  if (given === undefined || given === null) return { detections: [], leftOut: [] };
  if (!Array.isArray(given)) return { detections: [], leftOut: ['detections: not a list'] };
  const detections: TaskDetection[] = [];
  const leftOut: string[] = [];
  given.forEach((entry, index) => {
    const parsed = taskDetectionSchema.safeParse(entry);
    if (parsed.success) detections.push(parsed.data);
    else {
      const [issue] = parsed.error.issues;
      leftOut.push(
        `${['detections', index, ...(issue?.path ?? [])].map(String).join('.')}: ${issue?.message ?? ''}`,
      );
    }
  });
  return { detections, leftOut };
}
