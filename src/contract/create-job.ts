import { z } from 'zod';
import { givenIdSchema } from './ids.js';

/**
 * Body of `POST jobs/` (contract §4.11). `delay` is required by the server (0 = none), and `job_type_key` is limited to the
 * known word because an unknown one is a 500.
 */
export const createJobRequestSchema = z.strictObject({
  name: z.string().trim().min(1).max(255),
  project_id: givenIdSchema,
  delay: z.int().nonnegative().default(0),
  pipeline_id: givenIdSchema.nullish(),
  deployment_id: givenIdSchema.nullish(),
  source_image_collection_id: givenIdSchema.nullish(),
  source_image_single_id: givenIdSchema.nullish(),
  limit: z.int().positive().nullish(),
  shuffle: z.boolean().optional(),
  job_type_key: z.literal('ml').optional(),
});
/** What a caller of `jobs.create` writes: {@link createJobRequestSchema} with `delay` optional, and ids as numbers or digits. */
export type CreateJobRequest = z.input<typeof createJobRequestSchema>;
