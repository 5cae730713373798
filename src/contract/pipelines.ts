import { z } from 'zod';
import { algorithmConfigSchema, algorithmSchema, MAX_NAME_CHARS } from './algorithms.js';
import { clientInfoSchema } from './client-info.js';
import { hasKey, idSchema, jsonObjectSchema, pageSchema, shapeOf } from './common.js';

const nameSchema = z.string().trim().min(1).max(MAX_NAME_CHARS);

/** A stage is validated and echoed by the server, and never stored (contract §8.1). */
export const stageConfigSchema = z.strictObject({
  key: z.string().min(1),
  name: z.string().min(1),
  description: z.string().nullish(),
  params: z
    .array(z.strictObject({ name: z.string(), key: z.string(), category: z.string().optional() }))
    .optional(),
});

/**
 * A pipeline as registered (contract §8.1). An empty slug or key would make the server invent one, and a misspelt field
 * would be ignored without a word, so both are refused here.
 */
export const pipelineConfigSchema = z.strictObject({
  name: nameSchema,
  slug: nameSchema,
  version: z.int(),
  description: z.string().nullish(),
  algorithms: z.array(algorithmConfigSchema),
  stages: z.array(stageConfigSchema).optional(),
});
export type PipelineConfig = z.infer<typeof pipelineConfigSchema>;

/** Body of `POST projects/{id}/pipelines/` in the `api-key` dialect; the service is the key's. */
export const apiKeyRegistrationSchema = z.strictObject({
  pipelines: z.array(pipelineConfigSchema),
  client_info: clientInfoSchema.optional(),
});

/**
 * The same body in the `token` dialect, where the service is found or created by its exact name across the whole server
 * (trap T47). Over 255 characters is a 500.
 */
export const tokenRegistrationSchema = z.strictObject({
  processing_service_name: nameSchema,
  pipelines: z.array(pipelineConfigSchema),
});

export type RegistrationRequest =
  z.infer<typeof tokenRegistrationSchema> | z.infer<typeof apiKeyRegistrationSchema>;

/** A registration of either dialect; the name of a service makes it one of the `token` dialect. */
export const registrationRequestSchema = shapeOf((value): z.ZodType<RegistrationRequest> =>
  hasKey(value, 'processing_service_name') ? tokenRegistrationSchema : apiKeyRegistrationSchema,
);

/**
 * Answer of a registration: `pipelines` is an echo of the request, `pipelines_created` mixes slugs and algorithm keys,
 * `algorithms_created` is always empty (contract §8.4, traps T44 and T46). Only a read-back tells what is stored.
 */
export const registrationResponseSchema = z.looseObject({
  success: z.boolean(),
  error: z.string().nullish(),
  pipelines: z.array(z.unknown()),
  pipelines_created: z.array(z.string()),
  algorithms_created: z.array(z.unknown()).optional(),
  timestamp: z.string().optional(),
});
export type RegistrationResponse = z.infer<typeof registrationResponseSchema>;

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
