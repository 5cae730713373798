import { z } from 'zod';
import { clientInfoSchema } from './client-info.js';
import { hasKey, openEnum, shapeOf } from './common.js';

/** Task types that the server knows (contract §8.1); any other string is stored as it is. */
export const TASK_TYPES = [
  'detection',
  'localization',
  'segmentation',
  'classification',
  'tagging',
  'embedding',
  'tracking',
  'regression',
  'captioning',
  'generation',
  'translation',
  'summarization',
  'question_answering',
  'depth_estimation',
  'pose_estimation',
  'size_estimation',
  'post_processing',
  'other',
  'unknown',
] as const;

/** The types that count as a detector: a pipeline needs exactly one, or no result can ever be saved (trap T48). */
export const DETECTOR_TASK_TYPES: readonly string[] = ['detection', 'localization', 'segmentation'];
/** The types that need a category map, or registration is a 500 without a reason (trap T45). */
export const CLASSIFIER_TASK_TYPES: readonly string[] = ['classification', 'tagging'];

/** The server's column limit for names, slugs and keys; one character more is a 500 (contract §8.2). */
export const MAX_NAME_CHARS = 255;

const nameSchema = z.string().trim().min(1).max(MAX_NAME_CHARS);

/**
 * The labels of a classifier. The position in `data` is what a score refers to; `labels` alone make every result of the
 * classifier fail in the background (contract §7.5), so `data` is required here although the server does not ask for it.
 */
export const categoryMapSchema = z.strictObject({
  data: z.array(z.looseObject({ index: z.int().optional(), label: z.string() })).min(1),
  labels: z.array(z.string()).optional(),
  version: z.string().nullish(),
  description: z.string().nullish(),
  uri: z.string().nullish(),
});
export type CategoryMap = z.infer<typeof categoryMapSchema>;

const algorithmShape = z.strictObject({
  name: nameSchema,
  key: nameSchema,
  version: z.int().optional(),
  version_name: z.string().nullish(),
  description: z.string().nullish(),
  task_type: openEnum<(typeof TASK_TYPES)[number]>().nullish(),
  uri: z.string().nullish(),
  category_map: categoryMapSchema.nullish(),
});

/**
 * One model of a pipeline, as registered (contract §8.1). The server finds it again by `key` and `version`. An empty category map of anything
 * but a classifier is none: the production service gives its detector one.
 */
export const algorithmConfigSchema = z.preprocess(withoutEmptyMap, algorithmShape);
export type AlgorithmConfig = z.infer<typeof algorithmShape>;

function withoutEmptyMap(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given;
  const { task_type, category_map } = given as Partial<Record<string, unknown>>;
  if (typeof category_map !== 'object' || category_map === null) return given;
  if (typeof task_type === 'string' && CLASSIFIER_TASK_TYPES.includes(task_type)) return given;
  const { data, labels } = category_map as Partial<Record<string, unknown>>;
  return isEmpty(data) && isEmpty(labels) ? { ...given, category_map: null } : given;
}

/** A service's default for a list is sometimes an object. */
function isEmpty(list: unknown): boolean {
  return list === undefined || list === null || (typeof list === 'object' && Object.keys(list).length === 0);
}

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
