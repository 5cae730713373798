/**
 * Going at the pace of the server's saving (WORKER §3.10). A lease ends when a result is saved, not when it is accepted, so a worker
 * that is faster than the saving makes the server deliver tasks again whose results it has already got. Workers know nothing of each
 * other; what they all see is how many tasks of a job were delivered and how many are saved.
 */

/** Share of a lease in which what is outstanding must be saved: the other half is for what nobody can see in time. */
const LEASE_SHARE = 1 / 2;
/** Beside a model that itself needs most of that share, the saving gets a quarter of the lease. */
const SAVING_SHARE = 1 / 4;
/** Of what may be reserved, one worker takes so much at once: others see the same numbers at the same time. */
const TAKE_SHARE = 1 / 4;
/** And no more than is saved in this part of a lease, or in two seconds: a worker may not look more often than that. */
const TURN_SHARE = 1 / 60;
const TURN_MIN_MS = 2_000;
/** Below this part of the limit nothing is taken, or a slow server would be asked for every task by itself. */
const WORTHWHILE_SHARE = 1 / 4;
/** Assumed until measured: somewhat below what real servers did (contract T51: 5.7 and 10 results a second). */
export const ASSUMED_PER_SECOND = 4;
/** And for no longer than this, however long the lease: few tasks are enough to measure by. */
const ASSUMED_FOR_MS = 15_000;

/** What a look at a job's progress gave. */
export interface SavedSample {
  readonly atMs: number;
  readonly saved: number;
}

/** In parts of a lease, because what is slow for a lease of 30 s is quick for one of 300 s. */
export const paceTimes = (leaseMs: number) => ({
  /** Between two looks while saving is the limit: every few seconds. */
  lookEveryMs: Math.min(5_000, leaseMs / 10),
  /** Between two looks at the beginning, and while the server keeps up. */
  lookSoonestMs: Math.min(250, leaseMs / 120),
  /** Until two looks make a first rate, nothing more than what is assumed may be taken: who came second to a job is not to wait for it. */
  firstRateMs: Math.min(100, leaseMs / 300),
  /** First wait after a look that found the server keeping up; doubles. */
  trustMs: leaseMs / 2,
  /** Longest wait of that kind: what slows down meanwhile shows in repeats after one lease. */
  trustMaxMs: 8 * leaseMs,
  /** The rate is measured over so much of the past. */
  rateWindowMs: leaseMs / 3,
  /** Weight of what was assumed: one result saved in the first tenth of a second is no rate. */
  priorMs: Math.min(500, leaseMs / 60),
  /** In this time one batch goes through, whatever the numbers say. */
  floorEveryMs: leaseMs / 2,
});

/**
 * Results saved a second, from looks in order of time.
 * @param isTrusted - the server keeps up: what is measured is how fast the workers have become, and the newest looks know best.
 * @returns undefined while one look, or none, is all there is.
 */
export function savingRate(
  samples: readonly SavedSample[],
  leaseMs: number,
  assumedPerSecond: number,
  isTrusted = false,
): number | undefined {
  const last = samples.at(-1);
  const before = samples.at(-2);
  if (!last || !before) return undefined;
  const { rateWindowMs, priorMs } = paceTimes(leaseMs);
  const first = samples.find(({ atMs }) => last.atMs - atMs <= rateWindowMs) ?? before;
  const from = isTrusted || first === last ? before : first;
  const grown = Math.max(0, last.saved - from.saved);
  return (1000 * grown + assumedPerSecond * priorMs) / (last.atMs - from.atMs + priorMs);
}

/** How many tasks may be between reservation and saving as long as nothing is measured. */
export function assumedLimit(assumedPerSecond: number, leaseMs: number): number {
  return (assumedPerSecond * Math.min(ASSUMED_FOR_MS, LEASE_SHARE * leaseMs)) / 1000;
}

/** How many tasks of a job may be between reservation and saving, over the whole fleet. */
export function savingLimit(perSecond: number, leaseMs: number, holdMs: number): number {
  // By Little's law a task reserved now is saved after outstanding / rate. What the workers themselves need is not the server's fault.
  return (perSecond * Math.max(LEASE_SHARE * leaseMs, holdMs + SAVING_SHARE * leaseMs)) / 1000;
}

/** How many tasks one worker may reserve now; 0 while it is not worth a request. */
export function savingRoom(limit: number, outstanding: number): number {
  const missing = limit - outstanding;
  if (missing <= 0 || missing < WORTHWHILE_SHARE * limit) return 0;
  return Math.max(1, Math.floor(TAKE_SHARE * missing));
}

/**
 * How long a worker leaves the rest to others after it took so many: no worker needs more than all that is saved, or twice that while the
 * saving becomes faster. Without it, who comes first takes all there is room for.
 */
export function turnMs(taken: number, perSecond: number): number {
  return (1000 * taken) / (2 * perSecond);
}

/** Most tasks that a worker takes at once while saving is the limit. */
export function turnSize(perSecond: number, leaseMs: number, batchSize: number): number {
  return Math.max(batchSize, Math.floor((perSecond * Math.max(TURN_MIN_MS, leaseMs * TURN_SHARE)) / 1000));
}

/** Whether the server had saved nearly all that the workers gave it: it is no limit, and need not be watched. */
export function keepsUp(look: {
  readonly outstanding: number;
  readonly perSecond: number;
  /** How long tasks are in hand, from reservation to acceptance. */
  readonly holdMs: number;
  /** Tasks in this worker's hands. */
  readonly held: number;
  /** Saved since the look before. */
  readonly grown: number;
}): boolean {
  // Little's law again: what all workers hold, if others hold theirs as long as this one.
  const held = Math.max(look.held, (look.perSecond * look.holdMs) / 1000);
  return look.outstanding - held <= SAVING_SHARE * look.grown;
}

/** What the time of the next look depends on. */
export interface LookFacts {
  readonly leaseMs: number;
  /** Tasks of the job that were not delivered yet. With none left there is nothing to hold back. */
  readonly undelivered: number;
  readonly outstanding: number;
  readonly limit: number;
  /** Tasks came again since the last look. */
  readonly repeats: boolean;
  /** Since the last look own results were accepted, or tasks were wanted and there was no room for any. */
  readonly news: boolean;
  readonly startedAtMs: number;
  readonly lastLookAtMs: number | undefined;
  /** There are two samples, and with them a rate. */
  readonly isMeasured: boolean;
  /** Looks in a row that found the server keeping up. */
  readonly trust: number;
}

/**
 * When to ask for the job's progress; undefined while there is no reason to. Numbers that would not hold anything back are good enough
 * however old they are: saved results only become more.
 */
export function lookDueAtMs(facts: LookFacts): number | undefined {
  const { leaseMs, startedAtMs, lastLookAtMs, trust, repeats, undelivered, outstanding, limit } = facts;
  if (!facts.news && !repeats) return undefined;
  const times = paceTimes(leaseMs);
  const matters = undelivered > 0 && outstanding > limit / 2;
  if (lastLookAtMs === undefined) return repeats || matters ? Number.NEGATIVE_INFINITY : undefined;
  if (repeats) return lastLookAtMs + times.lookEveryMs;
  // What is left is out with somebody, or with nobody: that is worth knowing where it holds us back.
  if (undelivered === 0 && outstanding <= limit) return undefined;
  if (!facts.isMeasured) return lastLookAtMs + times.firstRateMs;
  // A rate over half a second is worth little: the first looks come sooner, each after half the time that was measured so far.
  const youngMs = Math.max(times.lookSoonestMs, (lastLookAtMs - startedAtMs) / 2);
  if (trust === 0) return lastLookAtMs + Math.min(times.lookEveryMs, youngMs);
  return (
    lastLookAtMs +
    (matters ? times.lookSoonestMs : Math.min(times.trustMaxMs, times.trustMs * 2 ** (trust - 1)))
  );
}
