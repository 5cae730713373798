import { z } from 'zod';
import { algorithmSchema } from './algorithms.js';
import { idSchema, jsonObjectSchema, pageSchema } from './common.js';

/** A stored pipeline (contract §4.8). It has no `version` at the top level. */
export const pipelineSchema = z.looseObject({
  id: idSchema,
  name: z.string(),
  slug: z.string(),
  description: z.string().nullish(),
  algorithms: z.array(algorithmSchema),
  processing_services: z.array(z.looseObject({ id: idSchema, name: z.string() })).optional(),
  project_pipeline_configs: z
    .array(z.looseObject({ enabled: z.boolean().optional(), config: jsonObjectSchema.nullish() }))
    .optional(),
});
export type Pipeline = z.infer<typeof pipelineSchema>;

export const pipelinePageSchema = pageSchema(pipelineSchema);
