import type { LeftOut } from '../../contract/answer.js';
import { taskIdSchema } from '../../contract/common.js';
import type { Task } from '../../contract/tasks.js';

/** Tasks, and no single fields of them. */
export function wholeTasks(leftOut: readonly LeftOut[]): LeftOut[] {
  return leftOut.filter(({ path }) => /^tasks\.\d+$/.test(path));
}

/**
 * The task of an item that cannot be worked on and still says whose result is missing: a job with such a task ends only if that one gets
 * a result too.
 * @returns undefined if it names no image or nothing to answer to.
 */
export function answerable(item: unknown): Task | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { id, image_id, reply_subject } = item as Readonly<Record<string, unknown>>;
  const image = taskIdSchema.safeParse(image_id);
  if (!image.success || typeof reply_subject !== 'string' || reply_subject === '') return undefined;
  const own = taskIdSchema.safeParse(id);
  return {
    id: own.success ? own.data : image.data,
    image_id: image.data,
    image_url: '',
    reply_subject,
  };
}
