import { z } from 'zod';
import { idSchema } from './common.js';

/** Body of `POST auth/token/login/` (contract §4.1). The field is `email`, not `username`. */
export const loginRequestSchema = z.strictObject({ email: z.string().min(1), password: z.string().min(1) });
export type LoginRequest = z.infer<typeof loginRequestSchema>;

/** Answer of the login: one token per user, without expiry, shared by every login until a logout deletes it. */
export const loginResponseSchema = z.looseObject({ auth_token: z.string().min(1) });
export type LoginResponse = z.infer<typeof loginResponseSchema>;

/** Answer of `GET users/me/` (contract §4.3). Nothing in it tells whether the user is staff or superuser. */
export const userSchema = z.looseObject({
  id: idSchema,
  name: z.string().default(''),
  email: z.string().optional(),
});
export type User = z.infer<typeof userSchema>;
