import { z } from 'zod';
import { essential, idSchema, jsonObjectSchema, pageSchema } from './common.js';

/** A longer name makes every later key generation a 500: the key's own name column holds 50 (contract §4.7). */
export const MAX_SERVICE_NAME_CHARS = 46;

/**
 * Body of `POST ml/processing_services/` (contract §4.7). `endpoint_url` is not offered: with one the server probes it during
 * the request, for minutes when it hangs, and a pull-mode worker has no endpoint.
 */
export const createServiceRequestSchema = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(MAX_SERVICE_NAME_CHARS, {
      error: `must have at most ${MAX_SERVICE_NAME_CHARS} characters, or the server fails to generate keys for it`,
    }),
  description: z.string().optional(),
});
export type CreateServiceRequest = z.infer<typeof createServiceRequestSchema>;

/** A processing service: what the server calls a worker (contract §4.7). */
export const processingServiceSchema = z.looseObject({
  id: idSchema,
  name: z.string(),
  description: z.string().nullish(),
  projects: z.array(idSchema).optional(),
  endpoint_url: z.string().nullish(),
  is_async: z.boolean().optional(),
  pipelines: z.array(z.looseObject({ id: idSchema, slug: z.string(), name: z.string() })).optional(),
  // Taken for missing, it would say that the service has no key, and a new one would end the old.
  api_key_prefix: essential(z.string().nullish()),
  last_seen: z.string().nullish(),
  last_seen_live: z.boolean().nullish(),
  last_seen_client_info: jsonObjectSchema.nullish(),
});
export type ProcessingService = z.infer<typeof processingServiceSchema>;

export const processingServicePageSchema = pageSchema(processingServiceSchema);

/** Whether the server thinks a service is alive: for a pull-mode service, seen less than 60 s ago. */
export const serviceStatusSchema = z.looseObject({
  timestamp: z.string(),
  request_successful: z.boolean(),
  server_live: z.boolean(),
  pipelines_online: z.array(z.string()),
  error: z.string().nullish(),
  endpoint_url: z.string().nullish(),
  latency: z.number().nullish(),
});
export type ServiceStatus = z.infer<typeof serviceStatusSchema>;

/** Answer of a creation: the service is wrapped in `instance` (trap T49). */
export const createServiceResponseSchema = z.looseObject({
  instance: processingServiceSchema,
  status: serviceStatusSchema.optional(),
});
export type CreateServiceResponse = z.infer<typeof createServiceResponseSchema>;

/** Answer of `generate_key`: the only time the full key is shown. */
export const generateKeyResponseSchema = z.looseObject({
  api_key: z.string().min(1),
  prefix: z.string().min(1),
  message: z.string().optional(),
});
