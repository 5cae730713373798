import { z } from 'zod';
import { processingServiceSchema, serviceStatusSchema } from './processing-services.js';

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
