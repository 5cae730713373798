import { z } from 'zod';
import { essential, jsonObjectSchema, taskIdSchema } from './common.js';

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
