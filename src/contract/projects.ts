import { z } from 'zod';
import { idSchema, jsonObjectSchema, pageSchema } from './common.js';

/** A project as lists show it (contract §4.4). */
export const projectSchema = z.looseObject({
  id: idSchema,
  name: z.string(),
  description: z.string().nullish(),
  draft: z.boolean().optional(),
  created_at: z.string().optional(),
  updated_at: z.string().optional(),
});
export type Project = z.infer<typeof projectSchema>;

/** A project by id: the list item plus owner, flags and settings. */
export const projectDetailSchema = projectSchema.extend({
  owner: z.looseObject({ id: idSchema, name: z.string().optional() }).nullish(),
  feature_flags: jsonObjectSchema.nullish(),
  settings: jsonObjectSchema.nullish(),
  is_member: z.boolean().optional(),
});
export type ProjectDetail = z.infer<typeof projectDetailSchema>;

export const projectPageSchema = pageSchema(projectSchema);
