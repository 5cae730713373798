import type { SavedSample } from './pace.js';

/** Saving that stands still for this part of a lease, although much is out, has nothing to save. */
const STILL_SHARE_OF_LEASE = 1 / 4;
/** Growth beside own results below this share of what the server did before is none: single tasks of other workers, and the last of a line. */
const STILL_SHARE = 1 / 10;
/** Results that the server would have saved meanwhile: fewer are not missed for certain. */
const STILL_RESULTS = 5;
/** Places of tasks that came again before the first look; more would tell nothing new. */
const MAX_DOUBTFUL = 64;

/** A look at a job's progress, and what this worker had given it. */
export interface LookSample extends SavedSample {
  /** Results of this worker that were accepted until then. */
  readonly accepted: number;
}

/** What follows from a look. */
export interface LookFigures {
  /** See {@link LostTasks.cameAgain}. */
  readonly savedBefore: number;
  /** Tasks that were delivered, are not saved and not in this worker's hands. */
  readonly out: number;
  /** More is out than the server's saving allows. */
  readonly isHeldBack: boolean;
  /** The rate that was measured, or what is assumed. */
  readonly perSecond: number;
}

/**
 * Tasks that are out with nobody: of workers that were killed, of answers that were lost. Until their leases end they look like results that
 * wait to be saved. Counted as such, they made workers wait for a saving that could not come, let them measure it as slow for it, and take
 * one task in half a lease (seen in a chaos run: 750 tasks that nobody took up again).
 *
 * Two things tell them apart. A line of results moves on by itself, and they do not. And results are saved in the order in which they come,
 * so a task that comes again although more results are saved than tasks were delivered before it does not stand in the line.
 */
export class LostTasks {
  readonly #leaseMs: () => number;
  #count = 0;
  /** Until then they come again, and are with somebody. */
  #untilMs = Number.NEGATIVE_INFINITY;
  #credit = 0;
  #doubtful: number[] = [];
  /** The highest rate lately, and when it was last worked out. */
  #best: { readonly perSecond: number; readonly atMs: number } | undefined;

  constructor(leaseMs: () => number) {
    this.#leaseMs = leaseMs;
  }

  /** How many are out with nobody, as far as it was seen. */
  get count(): number {
    return this.#count;
  }

  /** Tasks that may be taken whatever is out: so many came again that were lost. They were out already, and where one is there are more. */
  get credit(): number {
    return this.#credit;
  }

  taken(count: number): void {
    this.#credit = Math.max(0, this.#credit - count);
  }

  /**
   * A task came again that another worker had before.
   * @param place - how many tasks were delivered up to it, if that is known.
   * @param savedBefore - results of tasks that were delivered up to this place are saved, if there was anybody to give them; undefined before
   *   the first look.
   * @returns whether it was lost there. Otherwise its result may wait to be saved.
   */
  cameAgain(place: number | undefined, savedBefore: number | undefined, nowMs: number): boolean {
    if (savedBefore === undefined) {
      if (place !== undefined && this.#doubtful.length < MAX_DOUBTFUL) this.#doubtful.push(place);
      return false;
    }
    if (place === undefined ? this.#count === 0 : place > savedBefore) return false;
    this.#count = Math.max(0, this.#count - 1);
    this.#untilMs = nowMs + this.#leaseMs();
    this.#credit += 1;
    return true;
  }

  /** A task came again whose result was accepted from us: there is a line, and whatever was thought to be lost may stand in it. */
  ownCameAgain(): void {
    this.#count = 0;
  }

  /**
   * A look was made.
   * @param samples - in order of time, this look last.
   */
  looked(samples: readonly LookSample[], facts: LookFigures, nowMs: number): void {
    const leaseMs = this.#leaseMs();
    const doubtful = this.#doubtful;
    this.#doubtful = [];
    for (const place of doubtful) this.cameAgain(place, facts.savedBefore, nowMs);
    const isOver = nowMs >= this.#untilMs || haveOwnInLine(samples, leaseMs, STILL_SHARE_OF_LEASE * leaseMs);
    this.#count = isOver ? 0 : Math.min(this.#count, facts.out);
    const best = this.#bestRate(samples, facts.perSecond, nowMs);
    if (!facts.isHeldBack || !standsStill(samples, leaseMs, best)) return;
    this.#count = facts.out;
    this.#untilMs = nowMs + leaseMs;
  }

  /** The highest rate over a time that is long enough to tell; it counts half as much with each lease that passes. */
  #bestRate(samples: readonly LookSample[], perSecond: number, nowMs: number): number {
    const leaseMs = this.#leaseMs();
    const first = samples[0];
    const isLong = first !== undefined && nowMs - first.atMs >= STILL_SHARE_OF_LEASE * leaseMs;
    const before = this.#best ?? { perSecond, atMs: nowMs };
    const faded = before.perSecond * 2 ** (-(nowMs - before.atMs) / leaseMs);
    this.#best = { perSecond: isLong ? Math.max(faded, perSecond) : faded, atMs: nowMs };
    return this.#best.perSecond;
  }
}

/**
 * Whether saving has moved on by nothing but what this worker gave it, for so long that a line of results would have.
 * @param perSecond - what the server is known to save.
 */
export function standsStill(samples: readonly LookSample[], leaseMs: number, perSecond: number): boolean {
  const last = samples.at(-1);
  // While results of ours wait, the line is what they wait in.
  if (!last || haveOwnInLine(samples, leaseMs, 0)) return false;
  const soonestMs = Math.max(STILL_SHARE_OF_LEASE * leaseMs, (1000 * STILL_RESULTS) / perSecond);
  const stillMs = Math.min(leaseMs / 2, soonestMs);
  const from = samples.findLast(({ atMs }) => last.atMs - atMs >= stillMs);
  if (!from) return false;
  const others = last.saved - from.saved - (last.accepted - from.accepted);
  return others <= (STILL_SHARE * perSecond * (last.atMs - from.atMs)) / 1000;
}

/**
 * Whether results of ours wait to be saved for certain: within the last lease fewer were saved than we alone had accepted.
 * @param sinceMs - what was accepted later than so long ago does not count, nor what was since the look before.
 */
export function haveOwnInLine(samples: readonly LookSample[], leaseMs: number, sinceMs: number): boolean {
  const last = samples.at(-1);
  if (!last) return false;
  const until = samples.findLast((sample) => sample !== last && last.atMs - sample.atMs >= sinceMs);
  if (!until) return false;
  return samples.some(
    (from) =>
      from.atMs < until.atMs &&
      last.atMs - from.atMs <= leaseMs &&
      until.accepted - from.accepted > last.saved - from.saved,
  );
}
