/**
 * - `fresh`: the lease holds.
 * - `expired`: it ran out.
 * - `doubtful`: it ran out only by the wall clock; a suspend and a clock that was set forward look the same.
 */
export type LeaseState = 'fresh' | 'expired' | 'doubtful';

/** @param elapsedMs - by the slower and the faster clock. */
export function leaseState(
  elapsed: { readonly elapsedMs: number; readonly monotonicMs: number },
  leaseMs: number,
): LeaseState {
  if (elapsed.elapsedMs < leaseMs) return 'fresh';
  return elapsed.monotonicMs < leaseMs ? 'doubtful' : 'expired';
}

/** What to do with a task that is about to be started. */
export type StartDecision = 'run' | 'wait' | 'drop';

/** What {@link decideStart} goes by. */
export interface StartFacts {
  readonly lease: LeaseState;
  /** Number of this delivery, if it could be read. */
  readonly delivery: number | undefined;
  readonly maxDeliveries: number;
  readonly ageMs: number;
  readonly leaseMs: number;
  /** Whether a task with a fresh lease waits for the same stage. */
  readonly freshWaiting: boolean;
}

/**
 * Whether to start a task (WORKER §3.3, first row). After its lease another worker has it; starting it then is double work, except on
 * the last delivery: nobody else will get it.
 */
export function decideStart(facts: StartFacts): StartDecision {
  const { lease, delivery, maxDeliveries, ageMs, leaseMs, freshWaiting } = facts;
  if (lease === 'fresh') return 'run';
  if (delivery !== undefined && delivery >= maxDeliveries) return 'run';
  if (delivery !== undefined && lease === 'expired') return 'drop';
  if (ageMs >= 2 * leaseMs) return 'drop';
  return freshWaiting ? 'wait' : 'run';
}
