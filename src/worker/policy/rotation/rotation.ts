import type { Pipeline } from '../../executors/pipeline.js';

/** First wait after an empty answer; doubles. */
const BASE_MS = 1_000;
/** Highest wait, unless half a lease is shorter: redelivered tasks are then picked up within half a lease. */
const CAP_MS = 30_000;

/**
 * How long to leave a job alone that answered with no tasks. Empty means nothing in particular (trap T21): the job is neither finished
 * nor broken, and gets asked again, less and less often.
 * @param empties - empty answers in a row, 1 for the first.
 * @param random - in [0, 1), for ±25 %: workers that found the queue empty together shall not come back together.
 */
export function emptyBackoffMs(
  empties: number,
  leaseMs: number,
  random: number,
  pollIntervalMs = BASE_MS,
): number {
  const base = Math.min(BASE_MS, pollIntervalMs);
  const ceiling = Math.max(base, Math.min(CAP_MS, leaseMs / 2));
  return Math.min(ceiling, base * 2 ** Math.min(empties - 1, 30)) * (0.75 + random * 0.5);
}

/** A job that may have tasks for us. */
export interface OpenJob {
  readonly id: number;
  readonly pipeline: Pipeline;
}

/** A job's place in the rotation. */
interface Seat extends OpenJob {
  /** Model time that the job may still use, in milliseconds. */
  deficitMs: number;
  notBefore: number;
  /** When it may first be asked again and was not. */
  waitingSince: number;
  empties: number;
  /** What its last answer says about the next: `unknown` before the first. */
  outlook: Outlook;
  /** Lists in a row that did not show it. */
  absences: number;
}

/**
 * What to expect of a job: `work` when its last answer was as large as was asked or the queue told of more, `little` when it was smaller,
 * `none` when it was empty.
 */
export type Outlook = 'unknown' | 'work' | 'little' | 'none';

/** What choosing the next job goes by. */
export interface Turn {
  readonly nowMs: number;
  /** Estimated model time of one task of a pipeline; undefined when unknown. */
  readonly costMs: (slug: string) => number | undefined;
  /** Model time that a job gets each round: at least one batch, at least 5 s. */
  readonly quantumMs: (slug: string) => number;
  /** How many tasks of the job may be asked for now; 0 to pass it over. */
  readonly room: (job: OpenJob, outlook: Outlook) => number;
}

/** A job's turn: ask for so many tasks. */
export interface Choice {
  readonly job: OpenJob;
  readonly count: number;
  readonly outlook: Outlook;
}

/** How long a job that promises little may be passed over for those that promise work. */
const MAX_PASSED_OVER_MS = 2_000;
/** Lists that must miss a job before it leaves: one list may be stale. */
const MAX_ABSENCES = 2;

/**
 * Deficit round robin over jobs, in model time: a job with a hundred thousand tasks and one with three get the same share of the
 * model, and a slow pipeline does not starve a fast one.
 */
export class Rotation {
  readonly #random: () => number;
  /** In order of their next turn. */
  #seats: Seat[] = [];
  readonly #mutedUntil = new Map<number, number>();
  #current: number | undefined;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  get jobs(): readonly OpenJob[] {
    return this.#seats;
  }

  /**
   * Takes over a list of open jobs. New ones come in an order of our own: workers that all begin with the newest job collide.
   * @returns what came and what left. A job leaves only after two lists without it.
   */
  sync(listed: readonly OpenJob[], nowMs: number): { added: OpenJob[]; removed: OpenJob[] } {
    for (const [id, untilMs] of this.#mutedUntil) if (untilMs <= nowMs) this.#mutedUntil.delete(id);
    const found = new Set(listed.map(({ id }) => id));
    const known = new Set(this.#seats.map(({ id }) => id));
    for (const seat of this.#seats) {
      // Back in the list after it was gone: started again, and not what its empty answers say.
      if (found.has(seat.id) && seat.absences > 0) this.#expectWork(seat, nowMs);
      seat.absences = found.has(seat.id) ? 0 : seat.absences + 1;
    }
    const removed = this.#seats.filter(({ absences }) => absences >= MAX_ABSENCES);
    this.#seats = this.#seats.filter(({ absences }) => absences < MAX_ABSENCES);
    const added = listed.filter(({ id }) => !known.has(id) && !this.#mutedUntil.has(id));
    for (const { id, pipeline } of shuffle(added, this.#random)) {
      this.#seats.push({
        id,
        pipeline,
        deficitMs: 0,
        notBefore: nowMs,
        waitingSince: nowMs,
        empties: 0,
        outlook: 'unknown',
        absences: 0,
      });
    }
    return { added, removed };
  }

  /** Whose turn it is; undefined when every job waits, or has no room. */
  next(turn: Turn): Choice | undefined {
    const { nowMs } = turn;
    let best: { readonly seat: Seat; readonly room: number; readonly rank: number } | undefined;
    for (const seat of this.#seats) {
      if (seat.notBefore > nowMs) continue;
      const rank = this.#rank(seat, turn);
      if (best && best.rank <= rank) continue;
      const room = turn.room(seat, seat.outlook);
      if (room > 0) best = { seat, room, rank };
      if (best?.rank === 0) break;
    }
    return best && this.#choose(best.seat, best.room, turn);
  }

  /** When the next job that waits may be asked; undefined when none waits. */
  nextAtMs(nowMs: number): number | undefined {
    let next: number | undefined;
    for (const { notBefore } of this.#seats)
      if (notBefore > nowMs) next = Math.min(next ?? notBefore, notBefore);
    return next;
  }

  /** Tasks came. @param outlook - what the answer says about the next. */
  served(jobId: number, costMs: number, nowMs: number, outlook: Outlook = 'work'): void {
    const seat = this.#seat(jobId);
    if (!seat) return;
    seat.deficitMs -= costMs;
    seat.empties = 0;
    seat.outlook = outlook;
    seat.notBefore = seat.waitingSince = nowMs;
  }

  /** Nothing came. @param waitMs - by the number of empty answers in a row. */
  empty(jobId: number, nowMs: number, waitMs: (empties: number) => number): void {
    const seat = this.#seat(jobId);
    if (!seat) return;
    seat.empties += 1;
    seat.outlook = 'none';
    seat.deficitMs = 0;
    seat.notBefore = seat.waitingSince = nowMs + waitMs(seat.empties);
  }

  /** Asking failed. What was known of the job still is. */
  postpone(jobId: number, untilMs: number): void {
    const seat = this.#seat(jobId);
    if (seat) seat.notBefore = seat.waitingSince = untilMs;
  }

  /** Leaves a job alone: the list shows jobs that the credential may not touch (trap T15). */
  mute(jobId: number, untilMs: number): void {
    this.#mutedUntil.set(jobId, untilMs);
    this.remove(jobId);
  }

  remove(jobId: number): void {
    this.#seats = this.#seats.filter(({ id }) => id !== jobId);
  }

  #seat(jobId: number): Seat | undefined {
    return this.#seats.find(({ id }) => id === jobId);
  }

  #expectWork(seat: Seat, nowMs: number): void {
    seat.empties = 0;
    seat.outlook = 'unknown';
    seat.notBefore = Math.min(seat.notBefore, nowMs);
  }

  /**
   * The lower, the sooner; the order of the seats decides between equals. The job at work goes on while it has model time left. Jobs that
   * promise work come first: a hundred that are open and empty, each with its half a second for saying so, must not keep one waiting.
   */
  #rank(seat: Seat, { nowMs, costMs }: Turn): number {
    if (seat.id === this.#current && seat.deficitMs >= costOf(seat, costMs)) return 0;
    if (nowMs - seat.waitingSince > MAX_PASSED_OVER_MS) return 1;
    switch (seat.outlook) {
      case 'unknown':
      case 'work':
        return 1;
      case 'little':
        return 2;
      case 'none':
        return 3;
    }
  }

  #choose(seat: Seat, room: number, turn: Turn): Choice {
    const costMs = turn.costMs(seat.pipeline.slug);
    if (seat.id !== this.#current || seat.deficitMs < costOf(seat, turn.costMs)) {
      const quantumMs = turn.quantumMs(seat.pipeline.slug);
      seat.deficitMs = Math.min(2 * quantumMs, seat.deficitMs + quantumMs);
      this.#seats = [...this.#seats.filter((other) => other !== seat), seat];
    }
    this.#current = seat.id;
    const affordable =
      costMs === undefined ? Number.MAX_SAFE_INTEGER : Math.floor(seat.deficitMs / Math.max(costMs, 0.001));
    const { id, pipeline, outlook } = seat;
    return { job: { id, pipeline }, count: Math.min(room, Math.max(1, affordable)), outlook };
  }
}

/** Model time of one task. A model cannot be infinitely fast, whatever a coarse clock says. */
function costOf({ pipeline }: OpenJob, costMs: Turn['costMs']): number {
  return Math.max(0.001, costMs(pipeline.slug) ?? 1);
}

function shuffle<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
