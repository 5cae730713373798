import type { Clock } from '../../../time/clock.js';

/** What is taken off an observed redelivery: it was seen later than it happened. */
const MARGIN = 0.95;
/** A redelivery sooner than this is the queue's doing (a job published twice), not a lease. */
const SHORTEST_MS = 1_000;

/**
 * The assumed length of a lease. The server does not tell it, so it starts from an assumption and learns downward only: a task that
 * comes back after g had a lease of at most g, while nothing that can be seen proves a longer one.
 */
export class LeaseLength {
  #ms: number;

  constructor(assumedMs: number) {
    this.#ms = assumedMs;
  }

  get ms(): number {
    return this.#ms;
  }

  /**
   * A task was delivered again.
   * @param sinceDeliveryMs - since the earlier delivery of the same task.
   * @param delivery - number of the new delivery, if it could be read. 1 is a task that was published twice, not a lapsed lease.
   * @returns whether the lease turned out shorter than assumed.
   */
  observeRedelivery(sinceDeliveryMs: number, delivery: number | undefined): boolean {
    if (delivery === 1 || sinceDeliveryMs < SHORTEST_MS) return false;
    const learnedMs = MARGIN * sinceDeliveryMs;
    if (learnedMs >= this.#ms) return false;
    this.#ms = learnedMs;
    return true;
  }
}

/** A moment on both of the machine's clocks. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** A larger difference between the two clocks than this is a suspend or a step, not drift (WORKER §3.1). */
const JUMP_MS = 1_000;

/**
 * Measures the age of leases. The monotonic clock stands still while the machine is suspended, which makes dead leases look alive; the
 * wall clock can be set back, which does the same. The larger of the two differences is never too young.
 */
export class LeaseClock {
  readonly #clock: Clock;
  #lastLook: Instant;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastLook = this.instant();
  }

  instant(): Instant {
    return { monotonicMs: this.#clock.now(), wallMs: this.#clock.wallNow() };
  }

  /** Milliseconds since then, at least. @param now - to look at many leases at one moment. */
  elapsedMs(since: Instant, now = this.instant()): number {
    return Math.max(this.monotonicElapsedMs(since, now), now.wallMs - since.wallMs);
  }

  /** Milliseconds since then without suspends and steps. */
  monotonicElapsedMs(since: Instant, now = this.instant()): number {
    return now.monotonicMs - since.monotonicMs;
  }

  /**
   * Compares the clocks since the last call.
   * @returns by how much the wall clock ran ahead (suspend, or set forward) or behind (negative: set back); undefined within
   * {@link JUMP_MS}.
   */
  takeJump(): number | undefined {
    const now = this.instant();
    const last = this.#lastLook;
    this.#lastLook = now;
    const jumpMs = now.wallMs - last.wallMs - (now.monotonicMs - last.monotonicMs);
    return Math.abs(jumpMs) > JUMP_MS ? jumpMs : undefined;
  }
}

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

/** What of a task its lease depends on. */
export interface Leased {
  readonly leasedAt: Instant;
}

/** Everything a run knows about leases: how long they are, and how old each is. */
export class Leases {
  readonly clock: LeaseClock;
  readonly #length: LeaseLength;

  constructor(clock: Clock, assumedMs: number) {
    this.clock = new LeaseClock(clock);
    this.#length = new LeaseLength(assumedMs);
  }

  /** Assumed length of a lease, learned downward. */
  get lengthMs(): number {
    return this.#length.ms;
  }

  /** A task came again. @returns whether the lease turned out shorter than assumed. */
  observeRedelivery(leased: Leased, delivery: number | undefined): boolean {
    return this.#length.observeRedelivery(this.clock.elapsedMs(leased.leasedAt), delivery);
  }

  /** @param now - to look at many leases at one moment; default this moment. */
  ageMs({ leasedAt }: Leased, now?: Instant): number {
    return this.clock.elapsedMs(leasedAt, now);
  }

  /** Milliseconds until the lease runs out; negative afterwards. */
  remainingMs(leased: Leased, now?: Instant): number {
    return this.lengthMs - this.ageMs(leased, now);
  }

  state({ leasedAt }: Leased, now = this.clock.instant()): LeaseState {
    const elapsedMs = this.clock.elapsedMs(leasedAt, now);
    if (elapsedMs < this.lengthMs) return 'fresh';
    return leaseState(
      { elapsedMs, monotonicMs: this.clock.monotonicElapsedMs(leasedAt, now) },
      this.lengthMs,
    );
  }
}
