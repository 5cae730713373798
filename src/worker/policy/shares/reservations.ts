import type { OpenJob, Outlook } from '../rotation/rotation.js';

/** Requests for tasks under way at once, one a job: a hundred empty jobs of half a second each are asked within three. */
export const MAX_RESERVATIONS = 24;
/** How much the newest answer counts. */
const ALPHA = 0.5;
/** What a job that promises little is asked for at most: two dozen such requests must fit what may be held. */
const PROBE_TASKS = 8;

/** A request for tasks under way. */
export interface Reservation {
  readonly count: number;
  readonly outlook: Outlook;
  readonly sentAtMs: number;
}

/**
 * The requests under way, and what they will probably bring. A job at work brings what it is asked for. Of the others most may be empty,
 * and counting their requests in full would let them keep the places that a job with work is waiting for: they count as much as such
 * answers brought lately.
 */
export class Reservations {
  readonly #underWay = new Map<number, Reservation & { readonly slug: string }>();
  readonly #yields: Record<Outlook, number> = {
    unknown: Number.POSITIVE_INFINITY,
    work: Number.POSITIVE_INFINITY,
    little: Number.POSITIVE_INFINITY,
    none: 0,
  };

  get size(): number {
    return this.#underWay.size;
  }

  /** Tasks asked for, in all. */
  get asked(): number {
    let sum = 0;
    for (const { count } of this.#underWay.values()) sum += count;
    return sum;
  }

  /** When each request was sent, by job. */
  get sent(): readonly (readonly [jobId: number, sentAtMs: number])[] {
    return [...this.#underWay].map(([jobId, { sentAtMs }]) => [jobId, sentAtMs]);
  }

  has(jobId: number): boolean {
    return this.#underWay.has(jobId);
  }

  /**
   * Tasks of a pipeline that are probably on their way, in whole tasks: what is missing beside them is asked for, and half a task was
   * refused by our own client, with a longer wait each time.
   */
  expected(slug: string): number {
    let sum = 0;
    for (const { count, outlook, slug: other } of this.#underWay.values())
      if (other === slug) sum += this.#expect(outlook, count);
    return Math.round(sum);
  }

  /** What to ask a job for that may bring less than it is asked for. */
  askable(outlook: Outlook, room: number): number {
    return outlook === 'work' || this.#underWay.size === 0 ? room : Math.min(room, PROBE_TASKS);
  }

  begin(job: OpenJob, reservation: Reservation): void {
    this.#underWay.set(job.id, { ...reservation, slug: job.pipeline.slug });
  }

  end(jobId: number): void {
    this.#underWay.delete(jobId);
  }

  /** @param tasks - that the answer brought. */
  answered(outlook: Outlook, tasks: number): void {
    if (outlook === 'work') return;
    const known = this.#yields[outlook];
    this.#yields[outlook] = Number.isFinite(known) ? known + ALPHA * (tasks - known) : tasks;
  }

  #expect(outlook: Outlook, count: number): number {
    return Math.min(count, this.#yields[outlook]);
  }
}
