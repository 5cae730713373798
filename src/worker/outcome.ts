import type { Task } from '../contract/tasks.js';
import { encodeResult, type EncodedResult } from '../resources/results.js';

/** What became of a task, encoded and ready to be posted as often as it takes. */
export interface Outcome {
  readonly kind: 'success' | 'error';
  readonly imageId: string;
  readonly replySubject: string;
  readonly encoded: EncodedResult;
}

/** An error result, always with its image (trap T27). */
export function errorOutcome(task: Pick<Task, 'image_id' | 'reply_subject'>, text: string): Outcome {
  return {
    kind: 'error',
    imageId: task.image_id,
    replySubject: task.reply_subject,
    encoded: encodeResult({
      reply_subject: task.reply_subject,
      result: { error: text, image_id: task.image_id },
    }),
  };
}
