import { z } from 'zod';

/** Body of `POST auth/token/login/` (contract §4.1). The field is `email`, not `username`. */
export const loginRequestSchema = z.strictObject({ email: z.string().min(1), password: z.string().min(1) });
export type LoginRequest = z.infer<typeof loginRequestSchema>;

/** Answer of the login: one token per user, without expiry, shared by every login until a logout deletes it. */
export const loginResponseSchema = z.looseObject({ auth_token: z.string().min(1) });
export type LoginResponse = z.infer<typeof loginResponseSchema>;
