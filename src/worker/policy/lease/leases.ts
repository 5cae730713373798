import type { Clock } from '../../../time/clock.js';
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
