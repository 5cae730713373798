import type { Deadline } from '../../time/deadline.js';
import { RetryableTaskError } from '../handler/task-errors.js';

/**
 * Tells a download to make way for another. Not an abort signal: nearly no download is told, and making a signal for each costs more than
 * its share of an image's time.
 */
export class Preemption {
  readonly jobId: number;
  readonly startedAtMs: number;
  #deadline: Pick<Deadline, 'end'> | undefined;
  #requested = false;

  constructor(jobId: number, startedAtMs: number) {
    this.jobId = jobId;
    this.startedAtMs = startedAtMs;
  }

  get requested(): boolean {
    return this.#requested;
  }

  /** The try that is under way. */
  attach(deadline: Pick<Deadline, 'end'>): void {
    this.#deadline = deadline;
    if (this.#requested) this.preempt();
  }

  preempt(): void {
    this.#requested = true;
    this.#deadline?.end(new RetryableTaskError('the download gave its slot to another image host'));
  }
}
