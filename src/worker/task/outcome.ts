import type { EncodedResult } from '../../resources/results.js';

/** What became of a task: the JSON of its result, encoded once and sent as often as it takes. */
export interface Outcome {
  readonly kind: 'success' | 'error';
  readonly imageId: string;
  /** JSON of the result alone. Which delivery it answers is added when it is sent: the newest one may come later. */
  readonly body: Buffer;
}

/** An error result, always with its image (trap T27). */
export function errorOutcome(imageId: string, text: string): Outcome {
  return {
    kind: 'error',
    imageId,
    body: Buffer.from(JSON.stringify({ error: text === '' ? 'unknown error' : text, image_id: imageId })),
  };
}

const SUBJECT = Buffer.from('{"reply_subject":');
const RESULT = Buffer.from(',"result":');
const END = Buffer.from('}');

/** Bytes that a result takes in a post beside its body; a reply subject has about 90. */
export const RESULT_OVERHEAD_BYTES = 160;

/** Ties an outcome to a delivery, as one element of a post's `results`. */
export function addressOutcome(outcome: Outcome, replySubject: string): EncodedResult {
  const subject = Buffer.from(JSON.stringify(replySubject));
  return { bytes: Buffer.concat([SUBJECT, subject, RESULT, outcome.body, END]), replySubject };
}
