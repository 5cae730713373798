import type { Clock } from '../../time/clock.js';
import { leaseState, type LeaseState } from './expiry.js';
import { LeaseClock, type Instant } from './lease-clock.js';
import { LeaseLength } from './lease-length.js';

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

  ageMs(leased: Leased): number {
    return this.clock.elapsedMs(leased.leasedAt);
  }

  /** Milliseconds until the lease runs out; negative afterwards. */
  remainingMs(leased: Leased): number {
    return this.lengthMs - this.ageMs(leased);
  }

  state(leased: Leased): LeaseState {
    const { leasedAt } = leased;
    const elapsed = {
      elapsedMs: this.clock.elapsedMs(leasedAt),
      monotonicMs: this.clock.monotonicElapsedMs(leasedAt),
    };
    return leaseState(elapsed, this.lengthMs);
  }
}
