import { z } from 'zod';
import { idSchema } from './common.js';

/** Answer of `GET users/me/` (contract §4.3). Nothing in it tells whether the user is staff or superuser. */
export const userSchema = z.looseObject({
  id: idSchema,
  name: z.string().default(''),
  email: z.string().optional(),
});
export type User = z.infer<typeof userSchema>;
