import { z } from 'zod';

/** Extra keys the server keeps per request; which 20 of more it keeps is arbitrary (contract §9). */
export const MAX_EXTRA_KEYS = 20;
/** Characters after which the server cuts a string value (contract §9). */
export const MAX_VALUE_CHARS = 500;

/** The fields that the server knows by name. All optional; empty values never erase what is stored. */
export const CLIENT_INFO_FIELDS = ['hostname', 'software', 'version', 'platform', 'pod_name'] as const;

/**
 * Who is calling: sent with registration, tasks and results. The whole field must be absent or an object: `null` is
 * refused with 400 for the entire request (trap T35). Anyone can read it on public projects (trap T50).
 */
export const clientInfoSchema = z
  .object({
    hostname: z.string().optional(),
    software: z.string().optional(),
    version: z.string().optional(),
    platform: z.string().optional(),
    pod_name: z.string().optional(),
  })
  .catchall(z.unknown().refine((value) => value !== null && value !== undefined, 'must not be null'));

/** See {@link clientInfoSchema}. */
export type ClientInfo = z.infer<typeof clientInfoSchema>;
