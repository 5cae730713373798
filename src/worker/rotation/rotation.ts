import type { Pipeline } from '../pipeline.js';

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
  servedAt: number;
  empties: number;
  /** Lists in a row that did not show it. */
  absences: number;
}

/** What choosing the next job goes by. */
export interface Turn {
  readonly nowMs: number;
  /** Estimated model time of one task of a pipeline; undefined when unknown. */
  readonly costMs: (slug: string) => number | undefined;
  /** Model time that a job gets each round: at least one batch, at least 5 s. */
  readonly quantumMs: (slug: string) => number;
  /** Whether tasks of a pipeline may be taken now. Default: of every one. */
  readonly isOpen?: ((slug: string) => boolean) | undefined;
  /** Jobs that have tasks in hand which are not computed yet. */
  readonly busyJobs: () => ReadonlySet<number>;
}

/** A job's turn: at most so many tasks. */
export interface Choice {
  readonly job: OpenJob;
  readonly maxTasks: number;
}

/** How long jobs of another pipeline may be passed over, to spare the model a switch. */
const MAX_PASSED_OVER_MS = 60_000;
/** Tasks of more jobs than this at once would make each job's results rarer than the server's patience (WORKER §3.7). */
const MAX_BUSY_JOBS = 2;
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
  #lastSlug: string | undefined;

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
    const found = new Set(listed.map(({ id }) => id));
    const known = new Set(this.#seats.map(({ id }) => id));
    for (const seat of this.#seats) seat.absences = found.has(seat.id) ? 0 : seat.absences + 1;
    const removed = this.#seats.filter(({ absences }) => absences >= MAX_ABSENCES);
    this.#seats = this.#seats.filter(({ absences }) => absences < MAX_ABSENCES);
    const added = listed.filter(({ id }) => !known.has(id) && (this.#mutedUntil.get(id) ?? 0) <= nowMs);
    for (const { id, pipeline } of shuffle(added, this.#random)) {
      this.#seats.push({
        id,
        pipeline,
        deficitMs: 0,
        notBefore: nowMs,
        servedAt: nowMs,
        empties: 0,
        absences: 0,
      });
    }
    return { added, removed };
  }

  /** Whose turn it is; undefined when every job waits. */
  next(turn: Turn): Choice | undefined {
    const ready = this.#ready(turn);
    if (ready.length === 0) return undefined;
    const current = ready.find(({ id }) => id === this.#current);
    if (current && current.deficitMs >= (turn.costMs(current.pipeline.slug) ?? 1))
      return this.#choose(current, turn);
    const next = this.#nextOf(ready, turn.nowMs);
    const quantumMs = turn.quantumMs(next.pipeline.slug);
    next.deficitMs = Math.min(2 * quantumMs, next.deficitMs + quantumMs);
    this.#seats = [...this.#seats.filter((seat) => seat !== next), next];
    return this.#choose(next, turn);
  }

  /** When the next job may be asked; undefined without jobs. */
  nextAtMs(): number | undefined {
    const times = this.#seats.map(({ notBefore }) => notBefore);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Tasks came. */
  served(jobId: number, costMs: number, nowMs: number): void {
    const seat = this.#seat(jobId);
    if (!seat) return;
    seat.deficitMs -= costMs;
    seat.servedAt = nowMs;
    seat.empties = 0;
    seat.notBefore = nowMs;
  }

  /** Nothing came. @param waitMs - by the number of empty answers in a row. */
  empty(jobId: number, nowMs: number, waitMs: (empties: number) => number): void {
    const seat = this.#seat(jobId);
    if (!seat) return;
    seat.empties += 1;
    seat.deficitMs = 0;
    seat.servedAt = nowMs;
    seat.notBefore = nowMs + waitMs(seat.empties);
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

  #ready({ nowMs, busyJobs, isOpen = () => true }: Turn): Seat[] {
    const ready = this.#seats.filter(
      ({ notBefore, pipeline }) => notBefore <= nowMs && isOpen(pipeline.slug),
    );
    // One job cannot crowd others out; looking through all that is in hand is spared.
    if (this.#seats.length < MAX_BUSY_JOBS) return ready;
    const busy = busyJobs();
    return busy.size < MAX_BUSY_JOBS ? ready : ready.filter(({ id }) => busy.has(id));
  }

  /** The first in order, or the first of the same pipeline while nobody else has waited long: switching models costs time. */
  #nextOf(ready: readonly Seat[], nowMs: number): Seat {
    const [first] = ready;
    if (first === undefined) throw new RangeError('no job is ready');
    const patient = ready.every(({ servedAt }) => nowMs - servedAt < MAX_PASSED_OVER_MS);
    return (patient ? ready.find(({ pipeline }) => pipeline.slug === this.#lastSlug) : undefined) ?? first;
  }

  #choose(seat: Seat, turn: Turn): Choice {
    this.#current = seat.id;
    this.#lastSlug = seat.pipeline.slug;
    const costMs = turn.costMs(seat.pipeline.slug);
    const maxTasks =
      costMs === undefined ? Number.MAX_SAFE_INTEGER : Math.floor(seat.deficitMs / Math.max(costMs, 0.001));
    return { job: { id: seat.id, pipeline: seat.pipeline }, maxTasks: Math.max(1, maxTasks) };
  }
}

function shuffle<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
