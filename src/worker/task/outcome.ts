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

/** What a run did, in tasks. */
export interface WorkerCounts {
  /** Tasks that the server gave us, each counted once however often it came while we held it. */
  taken: number;
  /** Processed to a success result. */
  succeeded: number;
  /** Ended in an error result. */
  failed: number;
  /** Left to lapse, for another delivery: a passing failure, or a lease that ran out before the start. */
  lapsed: number;
  /** Results that the server accepted, errors included. */
  posted: number;
  /** Results that the server can no longer take: the job is gone, or it refuses even the error result. */
  dropped: number;
  /** Results on disk when the worker ended; the next start with the same spool directory posts them. */
  spooled: number;
  /** Taken, and nothing of the above when the worker had to end; the server will deliver them again. */
  abandoned: number;
}

/** How a task leaves the worker. Every task taken has exactly one: `taken` is the sum of these five. */
export type Fate = 'posted' | 'dropped' | 'lapsed' | 'spooled' | 'abandoned';

/** Why a run ended. */
export type EndReason = 'stopped' | 'drained' | 'signal';

/** Returned by `run()`, however it ended. */
export interface WorkerReport extends Readonly<WorkerCounts> {
  readonly reason: EndReason;
  /** Results of an earlier process, found in the spool and accepted by the server. Not part of the counts above. */
  readonly replayed: number;
  /** Tasks that could be neither read nor answered, each counted once; the server delivers them to others. Not part of the counts above. */
  readonly leftOut: number;
  readonly jobs: Readonly<Record<number, Readonly<WorkerCounts>>>;
}

/** Counts tasks by job and in all. */
export class Tally {
  readonly #jobs = new Map<number, WorkerCounts>();
  #replayed = 0;
  #leftOut = 0;

  add(jobId: number, what: keyof WorkerCounts, count = 1): void {
    let counts = this.#jobs.get(jobId);
    if (!counts) this.#jobs.set(jobId, (counts = emptyCounts()));
    counts[what] += count;
  }

  replayed(count: number): void {
    this.#replayed += count;
  }

  leftOut(): void {
    this.#leftOut += 1;
  }

  total(): WorkerCounts {
    const total = emptyCounts();
    for (const counts of this.#jobs.values()) {
      for (const key of Object.keys(total) as (keyof WorkerCounts)[]) total[key] += counts[key];
    }
    return total;
  }

  report(reason: EndReason): WorkerReport {
    const jobs = Object.fromEntries([...this.#jobs].map(([id, counts]) => [id, { ...counts }]));
    return { ...this.total(), reason, replayed: this.#replayed, leftOut: this.#leftOut, jobs };
  }
}

function emptyCounts(): WorkerCounts {
  return {
    taken: 0,
    succeeded: 0,
    failed: 0,
    lapsed: 0,
    posted: 0,
    dropped: 0,
    spooled: 0,
    abandoned: 0,
  };
}
