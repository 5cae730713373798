import { LRUCache } from 'lru-cache';
import type { Task } from '../../contract/tasks.js';
import { deliveryNumber } from '../delivery.js';
import type { Instant } from '../lease/lease-clock.js';
import { outboxEntry } from '../outbox/entry.js';
import type { Outbox } from '../outbox/outbox.js';
import type { OpenJob } from '../rotation/rotation.js';
import type { RunContext } from './context.js';
import { taskKey, WorkItem } from './work-item.js';

/** Tasks that are remembered after they left, at most: what is forgotten is merely done again if it comes back. */
const MAX_FINISHED = 10_000;

/** A task that was posted, remembered by when it was leased. */
interface Finished {
  readonly leasedAt: Instant;
}

/** Turns delivered tasks into work items, and recognises those that came before. */
export class Intake {
  readonly #context: RunContext;
  readonly #outbox: Outbox;
  readonly #start: (items: readonly WorkItem[]) => void;
  /** Tasks that left. */
  readonly #finished = new LRUCache<string, Finished>({ max: MAX_FINISHED });

  constructor(context: RunContext, outbox: Outbox, start: (items: readonly WorkItem[]) => void) {
    this.#context = context;
    this.#outbox = outbox;
    this.#start = start;
  }

  /** @returns how many of the tasks are new work. A server may return more than was asked for; all are taken. */
  accept(job: OpenJob, tasks: readonly Task[], leasedAt: Instant): number {
    const fresh: WorkItem[] = [];
    for (const task of tasks) {
      const held = this.#context.hold.get(taskKey(job.id, task.id));
      if (held) {
        this.#learn(held, task, job.id);
        held.redelivered(task.reply_subject, leasedAt);
        continue;
      }
      const item = new WorkItem(task, job, leasedAt);
      this.#context.hold.add(item);
      this.#context.tally.add(job.id, 'taken');
      if (!this.#isRepeat(item)) fresh.push(item);
    }
    this.#start(fresh);
    return fresh.length;
  }

  /** A task left the worker. */
  settled(item: WorkItem): void {
    this.#finished.set(item.key, { leasedAt: item.leasedAt });
  }

  /** A task that we posted comes again: the same bytes go out again, and the model does not run twice. */
  #isRepeat(item: WorkItem): boolean {
    const { clock, leases } = this.#context;
    const maxAgeMs = 2 * leases.lengthMs;
    const finished = this.#finished.peek(item.key);
    // One that is older teaches nothing about leases.
    if (!finished || leases.ageMs(finished) > maxAgeMs) return false;
    this.#learn(finished, item.task, item.jobId);
    const outcome = this.#outbox.recent.get(item.key, maxAgeMs, clock.now());
    if (outcome) this.#outbox.offer(outboxEntry(item, outcome, clock.now()));
    return outcome !== undefined;
  }

  #learn(known: { readonly leasedAt: Instant }, task: Task, jobId: number): void {
    const { leases, bus, client } = this.#context;
    const sinceMs = leases.ageMs(known);
    const delivery = deliveryNumber(task.reply_subject);
    bus.emit('redelivered', { jobId, imageId: task.image_id, attempt: delivery, sinceMs });
    if (!leases.observeRedelivery(known, delivery)) return;
    bus.emit('lease_learned', { leaseMs: leases.lengthMs });
    client.logger.warn(
      { job: jobId, task: task.image_id, leaseMs: Math.round(leases.lengthMs) },
      'a task came back sooner than its lease was assumed to last; from now on leases count as this short',
    );
  }
}
