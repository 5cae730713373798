import { z } from 'zod';
import { essential, idSchema, jsonObjectSchema, pageSchema } from './common.js';

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
