/** What a run did, in tasks. */
export interface WorkerCounts {
  /** Processed to a success result. */
  succeeded: number;
  /** Ended in an error result. */
  failed: number;
  /** Left to lapse, for another delivery. */
  lapsed: number;
  /** Results that the server accepted, errors included. */
  posted: number;
  /** Results that the server can no longer take: the job is gone, or it refuses even the error result. */
  dropped: number;
  /** Taken, and neither posted nor dropped when the worker had to end; the server will deliver them again. */
  abandoned: number;
}

/** Returned by `run()`, however it ended. */
export interface WorkerReport extends Readonly<WorkerCounts> {
  /** Why the run ended. */
  readonly reason: 'stopped' | 'drained' | 'signal';
  readonly jobs: Readonly<Record<number, Readonly<WorkerCounts>>>;
}

/** Counts tasks by job and in all. */
export class Tally {
  readonly #jobs = new Map<number, WorkerCounts>();

  add(jobId: number, what: keyof WorkerCounts, count = 1): void {
    const counts = this.#jobs.get(jobId) ?? emptyCounts();
    counts[what] += count;
    this.#jobs.set(jobId, counts);
  }

  report(reason: WorkerReport['reason']): WorkerReport {
    const total = emptyCounts();
    for (const counts of this.#jobs.values()) {
      for (const key of Object.keys(total) as (keyof WorkerCounts)[]) total[key] += counts[key];
    }
    return { ...total, reason, jobs: Object.fromEntries(this.#jobs) };
  }
}

function emptyCounts(): WorkerCounts {
  return { succeeded: 0, failed: 0, lapsed: 0, posted: 0, dropped: 0, abandoned: 0 };
}
