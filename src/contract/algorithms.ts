import { z } from 'zod';
import { idSchema, jsonObjectSchema } from './common.js';

/** An algorithm as the server returns it (contract §4.8). */
export const algorithmSchema = z.looseObject({
  id: idSchema.optional(),
  key: z.string(),
  name: z.string(),
  version: z.number().nullish(),
  version_name: z.string().nullish(),
  task_type: z.string().nullish(),
  uri: z.string().nullish(),
  category_map: jsonObjectSchema.nullish(),
});
export type Algorithm = z.infer<typeof algorithmSchema>;
