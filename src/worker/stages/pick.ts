import { decideStart, type Instant } from '../policy/lease/lease.js';
import { refOf, type RunContext } from '../run/context.js';
import { LeaseExpiredError } from '../handler/task-errors.js';
import type { WorkItem } from '../task/work-item.js';

/** What choosing the next task needs of a run. */
export type PickPort = Pick<
  RunContext,
  'options' | 'client' | 'bus' | 'leases' | 'hold' | 'phases' | 'failures'
>;

/**
 * Takes the task to start next out of a stage's queue: the earliest deadline first; while the worker ends, last deliveries before all
 * others, since nobody else would get them. Tasks that are not worth starting leave the worker here.
 * @param durationMs - how long the work will take at most, for the time that is left when the worker ends.
 */
export function pickNext(
  queue: WorkItem[],
  context: PickPort,
  durationMs: (item: WorkItem) => number,
): WorkItem | undefined {
  const { hold, phases, leases, options } = context;
  // One look at the clocks for all: this is done for every task, over all that wait.
  const now = leases.clock.instant();
  const draining = phases.drain.aborted;
  const late: WorkItem[] = [];
  const expired: WorkItem[] = [];
  let best: WorkItem | undefined;
  let freshWaiting: boolean | undefined;
  let freshLease: Instant | undefined;
  for (const item of queue) {
    // Tasks of one answer have one lease: if it is fresh, none of them goes before the first.
    if (item.leasedAt === freshLease && !draining) continue;
    if (draining && !phases.mayStart(durationMs(item))) {
      late.push(item);
      continue;
    }
    const lease = leases.state(item, now);
    if (lease === 'fresh') freshLease = item.leasedAt;
    else {
      freshWaiting ??= queue.some((other) => leases.state(other, now) === 'fresh');
      const decision = decideStart({
        lease,
        delivery: item.delivery,
        maxDeliveries: options.rules.maxDeliveries,
        ageMs: leases.ageMs(item, now),
        leaseMs: leases.lengthMs,
        freshWaiting,
      });
      if (decision === 'drop') expired.push(item);
      if (decision !== 'run') continue;
    }
    if (best === undefined || isBefore(item, best, context, draining)) best = item;
  }
  if (best) remove(queue, best);
  // Told once the queue is looked through: whoever hears of it may change it.
  for (const item of [...late, ...expired]) remove(queue, item);
  for (const item of late) hold.settle(item, 'abandoned');
  for (const item of expired) expire(item, context);
  return best;
}

/** Lets go of the tasks of a queue that nobody picks from, once they are another worker's. */
export function dropExpired(queue: WorkItem[], context: PickPort): void {
  const { leases, options } = context;
  const now = leases.clock.instant();
  const expired = queue.filter((item) => {
    const lease = leases.state(item, now);
    if (lease === 'fresh') return false;
    const facts = { lease, delivery: item.delivery, maxDeliveries: options.rules.maxDeliveries };
    const ages = { ageMs: leases.ageMs(item, now), leaseMs: leases.lengthMs, freshWaiting: true };
    return decideStart({ ...facts, ...ages }) === 'drop';
  });
  for (const item of expired) remove(queue, item);
  for (const item of expired) expire(item, context);
}

function isBefore(a: WorkItem, b: WorkItem, { options }: PickPort, draining: boolean): boolean {
  if (draining) {
    const last = ({ delivery }: WorkItem): boolean => (delivery ?? 0) >= options.rules.maxDeliveries;
    if (last(a) !== last(b)) return last(a);
  }
  return a.leasedAt.monotonicMs < b.leasedAt.monotonicMs;
}

function expire(item: WorkItem, { bus, hold, leases, client, failures }: PickPort): void {
  const ref = refOf(item);
  client.logger.info(
    { job: ref.jobId, task: ref.imageId, attempt: ref.attempt },
    'the lease of a task ran out before its start; another worker gets it',
  );
  bus.emit('lease_expired', { ...ref, ageMs: leases.ageMs(item) });
  failures?.add(item, 'lapsed', 'lease', new LeaseExpiredError(leases.ageMs(item)));
  hold.settle(item, 'lapsed');
}

function remove(queue: WorkItem[], item: WorkItem): void {
  const index = queue.indexOf(item);
  if (index >= 0) queue.splice(index, 1);
}
