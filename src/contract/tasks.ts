import { z } from 'zod';
import { clientInfoSchema } from './client-info.js';
import { essential, jsonObjectSchema, taskIdSchema } from './common.js';

/** Body of `POST jobs/{id}/tasks/` (contract §4.12). The field is `batch_size`; the server sets no maximum. */
export const reserveRequestSchema = z.strictObject({
  batch_size: z.int().min(1),
  client_info: clientInfoSchema.optional(),
});
export type ReserveRequest = z.infer<typeof reserveRequestSchema>;

/**
 * One reserved image. `reply_subject` is opaque, differs for each delivery and goes back unchanged with the result.
 * `config` does not exist on today's servers (contract §6.6) and is passed on when it appears.
 */
export const taskSchema = z.looseObject({
  id: taskIdSchema,
  image_id: taskIdSchema,
  image_url: z.string().min(1),
  reply_subject: z.string().min(1),
  // With a wrong one the image would be processed otherwise than asked.
  config: essential(jsonObjectSchema.nullish()),
});
export type Task = z.infer<typeof taskSchema>;

/** `tasks` is required: an answer without it is damage, never "no tasks". */
export const tasksResponseSchema = z.looseObject({ tasks: z.array(taskSchema) });
export type TasksResponse = z.infer<typeof tasksResponseSchema>;
