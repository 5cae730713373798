import type { Clock } from '../time/clock.js';
import { Fifo } from './fifo.js';
import { formatReplySubject } from './reply-subject.js';

/** Limits that are fixed into a job's queue when it is created (contract §6.1). */
export interface QueueLimits {
  readonly visibilityTimeoutMs: number;
  readonly maxDeliveries: number;
  readonly maxOutstanding: number;
}

/** One delivery of one task: what `POST jobs/{id}/tasks/` hands out. */
export interface Delivery {
  readonly imageId: string;
  readonly imageUrl: string;
  readonly replySubject: string;
  /** 1 on first delivery. */
  readonly delivery: number;
}

/** Told about everything that happens to a task; the job's ledger listens. */
export interface QueueObserver {
  onExpired?(imageId: string, delivery: number): void;
  onExhausted?(imageId: string, deliveries: number): void;
}

/** How many tasks are in which state. */
export interface QueueCounts {
  /** Never delivered. */
  readonly waiting: number;
  /** Delivered, not acknowledged, deliveries left: includes those whose timeout has passed. */
  readonly outstanding: number;
  readonly acknowledged: number;
  /** Given up after the last delivery timed out: never served again (contract §6.2). */
  readonly exhausted: number;
}

interface Entry {
  readonly sequence: number;
  readonly imageId: string;
  readonly imageUrl: string;
  readonly publishedWallMs: number;
  deliveries: number;
  state: 'waiting' | 'outstanding' | 'acknowledged' | 'exhausted';
}

interface Lease {
  readonly entry: Entry;
  readonly delivery: number;
  readonly expiresAt: number;
}

/**
 * A job's queue as NATS JetStream behaves behind Antenna: first in, first out, tasks whose timeout has passed first, a limit
 * of deliveries per task and of unacknowledged tasks per job, and an acknowledgement that any delivery's subject can give.
 */
export class TaskQueue {
  readonly #jobId: number;
  readonly #limits: QueueLimits;
  readonly #clock: Clock;
  readonly #observer: QueueObserver;
  readonly #entries = new Map<number, Entry>();
  readonly #waiting = new Fifo<Entry>();
  readonly #expired = new Fifo<Entry>();
  #leases = new Fifo<Lease>();
  #nextSequence = 1;
  #consumerSequence = 0;
  #outstanding = 0;
  #acknowledged = 0;
  #exhausted = 0;

  constructor(jobId: number, limits: QueueLimits, clock: Clock, observer: QueueObserver = {}) {
    this.#jobId = jobId;
    this.#limits = limits;
    this.#clock = clock;
    this.#observer = observer;
  }

  /** Adds a task at the end. */
  publish(imageId: string, imageUrl: string): void {
    const entry: Entry = {
      sequence: this.#nextSequence++,
      imageId,
      imageUrl,
      publishedWallMs: this.#clock.wallNow(),
      deliveries: 0,
      state: 'waiting',
    };
    this.#entries.set(entry.sequence, entry);
    this.#waiting.push(entry);
  }

  /** Takes up to `batchSize` tasks: those delivered before first, then new ones while the outstanding limit allows. */
  reserve(batchSize: number): Delivery[] {
    this.#expireLeases();
    const taken: Delivery[] = [];
    while (taken.length < batchSize) {
      const again = this.#nextExpired();
      if (again) {
        taken.push(this.#deliver(again));
        continue;
      }
      if (this.#outstanding >= this.#limits.maxOutstanding) break;
      const fresh = this.#nextWaiting();
      if (!fresh) break;
      this.#outstanding++;
      taken.push(this.#deliver(fresh));
    }
    return taken;
  }

  /**
   * Acknowledges a task by its place in the stream.
   * @returns the image's id, or undefined when there was nothing to acknowledge.
   */
  acknowledge(streamSequence: number): string | undefined {
    this.#expireLeases();
    const entry = this.#entries.get(streamSequence);
    if (!entry || entry.state === 'acknowledged') return undefined;
    // NATS refuses an acknowledgement of a message that was never delivered.
    if (entry.state === 'waiting') return undefined;
    if (entry.state === 'outstanding') this.#outstanding--;
    if (entry.state === 'exhausted') this.#exhausted--;
    entry.state = 'acknowledged';
    this.#acknowledged++;
    this.#entries.delete(streamSequence);
    return entry.imageId;
  }

  /** Lets every current lease run out now, as if the visibility timeout had passed. */
  expireNow(): void {
    const leases = this.#leases;
    this.#leases = new Fifo();
    for (const lease of leases) this.#leases.push({ ...lease, expiresAt: this.#clock.now() });
    this.#expireLeases();
  }

  counts(): QueueCounts {
    this.#expireLeases();
    return {
      waiting: this.#waiting.size,
      outstanding: this.#outstanding,
      acknowledged: this.#acknowledged,
      exhausted: this.#exhausted,
    };
  }

  #nextExpired(): Entry | undefined {
    for (let entry = this.#expired.shift(); entry; entry = this.#expired.shift()) {
      if (entry.state === 'outstanding') return entry;
    }
    return undefined;
  }

  #nextWaiting(): Entry | undefined {
    return this.#waiting.shift();
  }

  #deliver(entry: Entry): Delivery {
    entry.deliveries++;
    entry.state = 'outstanding';
    this.#consumerSequence++;
    const expiresAt = this.#clock.now() + this.#limits.visibilityTimeoutMs;
    this.#leases.push({ entry, delivery: entry.deliveries, expiresAt });
    return {
      imageId: entry.imageId,
      imageUrl: entry.imageUrl,
      delivery: entry.deliveries,
      replySubject: formatReplySubject({
        jobId: this.#jobId,
        delivery: entry.deliveries,
        streamSequence: entry.sequence,
        consumerSequence: this.#consumerSequence,
        publishedWallMs: entry.publishedWallMs,
        waiting: this.#waiting.size,
      }),
    };
  }

  /** Every lease lasts equally long, so the oldest one is always the first to run out. */
  #expireLeases(): void {
    const now = this.#clock.now();
    for (let lease = this.#leases.peek(); lease && lease.expiresAt <= now; lease = this.#leases.peek()) {
      this.#leases.shift();
      const { entry } = lease;
      if (entry.state !== 'outstanding') continue;
      this.#observer.onExpired?.(entry.imageId, lease.delivery);
      if (entry.deliveries < this.#limits.maxDeliveries) {
        this.#expired.push(entry);
        continue;
      }
      entry.state = 'exhausted';
      this.#outstanding--;
      this.#exhausted++;
      this.#observer.onExhausted?.(entry.imageId, entry.deliveries);
    }
  }
}
