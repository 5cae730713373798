import { BoundedLog } from '../bounded-log.js';
import type { PostedResult } from '../validate/result-schema.js';

/** What became of a result in the background. */
export type ResultOutcome =
  | { readonly kind: 'saved' | 'error-counted' | 'nothing-counted' }
  | { readonly kind: 'dropped' | 'save-failed'; readonly reason: string };

/** A result that was accepted with 200, and what became of it. */
export interface ResultReceipt {
  /** Wall time of acceptance, in milliseconds since the Unix epoch. */
  readonly at: number;
  readonly replySubject: string;
  /** The images it names; a good result names one. */
  readonly imageIds: readonly string[];
  /** The result after the server's coercions: a success, or `{ error, image_id }`. */
  readonly result: PostedResult['result'];
  /** `queued` until the background has dealt with it. */
  outcome: ResultOutcome | { readonly kind: 'queued' };
}

/** Newest results of one job. */
export class Receipts {
  readonly #log: BoundedLog<ResultReceipt>;
  readonly #wallNow: () => number;

  constructor(limit: number, wallNow: () => number) {
    this.#log = new BoundedLog(limit);
    this.#wallNow = wallNow;
  }

  open(posted: PostedResult, imageIds: readonly string[]): ResultReceipt {
    const receipt: ResultReceipt = {
      at: this.#wallNow(),
      replySubject: posted.reply_subject,
      imageIds,
      result: posted.result,
      outcome: { kind: 'queued' },
    };
    this.#log.push(receipt);
    return receipt;
  }

  toArray(): readonly ResultReceipt[] {
    return this.#log.toArray();
  }
}
