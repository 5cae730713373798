/**
 * What is known of one user of a shared resource:
 * - `proven`: it has given back what it took.
 * - `new`: it has not had the time to show that.
 * - `suspect`: it fails, or holds on to what it has.
 */
export type Standing = 'proven' | 'new' | 'suspect';

/** One part in so many is left to the others by every user, however much is free. */
const PARTS = 8;
/** What a user may take that has given nothing back yet, where an eighth would be less: enough for two rounds of most models. */
const NEWCOMER_UNITS = 16;

/**
 * What nobody may take alone. What is lent to a job whose posts fail does not come back, so the last part is never lent: the worker would
 * hold 256 results that nobody accepts, and no other job could begin.
 * @returns 0 for fewer than eight units: those cannot be shared.
 */
export function lastShare(total: number): number {
  return Math.floor(total / PARTS);
}

/**
 * How many units one user may have of a resource that is not given back in time by itself: places for tasks, memory for results. Alone, a
 * proven user gets all but the last share.
 */
export function ceilingOf(total: number, standing: Standing): number {
  const most = Math.max(1, total - lastShare(total));
  switch (standing) {
    case 'proven':
      return most;
    case 'new':
      return Math.min(most, Math.max(NEWCOMER_UNITS, lastShare(total)));
    case 'suspect':
      return 1;
  }
}

/** What {@link roomFor} goes by: tasks, all of them. */
export interface RoomFacts {
  /** How many of this pipeline should be in hand, by measured times. */
  readonly target: number;
  /** The largest target of those jobs of the pipeline that have tasks in hand. */
  readonly most: number;
  /** Images in one call of the handler. */
  readonly batch: number;
  /** From how many missing ones on a request is worth it. */
  readonly threshold: number;
  /** Of this pipeline in hand, without those that are stuck in front of the model or behind it. */
  readonly moving: number;
  /** Of this pipeline on their way: what requests in flight will probably bring. */
  readonly expected: number;
  /** Of this job in hand, and how many it may have. */
  readonly own: number;
  readonly ceiling: number;
  /** In hand in all, asked for in all, and the limit for both together. */
  readonly held: number;
  readonly asked: number;
  readonly maxHeld: number;
  /** Most that one request may ask for. */
  readonly maxBatch: number;
  /** The model's speed is unknown: each job may have its first task, as long as there are lanes for them. */
  readonly cold: boolean;
  readonly lanes: number;
}

/**
 * The last share is for those who have little: each may have half of what is left of it. What two jobs hold whose posts fail does not
 * come back, and each below its own ceiling they once had all places together.
 */
function placesFor(own: number, left: number, total: number): number {
  return Math.max(left - lastShare(total), Math.ceil(left / 2) - own);
}

/** Places that a job may take now, whatever its pipeline needs: without any, nothing else has to be known. */
export function placesOf(
  facts: Pick<RoomFacts, 'own' | 'ceiling' | 'held' | 'asked' | 'maxHeld' | 'maxBatch'>,
): number {
  const { own, ceiling, held, asked, maxHeld, maxBatch } = facts;
  return Math.min(placesFor(own, maxHeld - held - asked, maxHeld), ceiling - own, maxBatch);
}

/** How many tasks to ask a job for, a whole number; 0 while what is missing is not worth a request, or not the job's to take. */
export function roomFor(facts: RoomFacts): number {
  const { target, most, own, cold, lanes } = facts;
  // What is expected is a mean; half a task cannot be asked for.
  const coming = facts.moving + Math.round(facts.expected);
  const free = placesOf(facts);
  if (free < 1) return 0;
  const missing = target - coming;
  if (missing >= facts.threshold) return Math.min(missing, free);
  // Jobs differ in what they may have in front of the model. One that may have less than others have there gets its first batch all the
  // same, of the places of the others.
  if (own === 0 && missing < 1 && most - coming >= 1) return Math.min(facts.batch, most - coming, free);
  // A first task that hangs must not keep the first tasks of other jobs waiting.
  return cold && own === 0 && coming < lanes ? 1 : 0;
}
