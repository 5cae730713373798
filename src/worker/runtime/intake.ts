import { type LeftOut, leftOutOf, type WithLeftOut } from '../../contract/answer.js';
import { taskIdSchema } from '../../contract/common.js';
import type { Task } from '../../contract/tasks.js';
import { LRUCache } from 'lru-cache';
import { Once } from '../../http/left-out-report.js';
import { deliveryNumber } from '../policy/delivery.js';
import type { Instant } from '../policy/lease/lease.js';
import { outboxEntry } from '../outbox/entry.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Fate } from '../task/outcome.js';
import type { OpenJob } from '../policy/rotation/rotation.js';
import { PermanentTaskError } from '../handler/task-errors.js';
import type { RunContext } from '../run/context.js';
import { taskKey, WorkItem } from '../task/work-item.js';

/** Tasks, and no single fields of them. */
function wholeTasks(leftOut: readonly LeftOut[]): LeftOut[] {
  return leftOut.filter(({ path }) => /^tasks\.\d+$/.test(path));
}

/**
 * The task of an item that cannot be worked on and still says whose result is missing: a job with such a task ends only if that one gets
 * a result too.
 * @returns undefined if it names no image or nothing to answer to.
 */
function answerable(item: unknown): Task | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { id, image_id, reply_subject } = item as Readonly<Record<string, unknown>>;
  const image = taskIdSchema.safeParse(image_id);
  if (!image.success || typeof reply_subject !== 'string' || reply_subject === '') return undefined;
  const own = taskIdSchema.safeParse(id);
  return {
    id: own.success ? own.data : image.data,
    image_id: image.data,
    image_url: '',
    reply_subject,
  };
}

/** Tasks that are remembered after they left, at most: what is forgotten is merely done again if it comes back. */
const MAX_FINISHED = 10_000;

/** A task that left, remembered by when it was leased. */
interface Finished {
  readonly leasedAt: Instant;
  /** The server has accepted its result. */
  readonly isAccepted: boolean;
  /** What stood in the server's line then, if that is known. */
  readonly mark: number | undefined;
}

/** Where taken tasks go. */
export interface IntakeHooks {
  readonly start: (items: readonly WorkItem[]) => void;
  /** A task that cannot be worked on. */
  readonly fail: (item: WorkItem, error: unknown) => void;
}

/** Turns delivered tasks into work items, and recognises those that came before. */
export class Intake {
  readonly #context: RunContext;
  readonly #outbox: Outbox;
  readonly #hooks: IntakeHooks;
  readonly #told = new Once();
  /** Tasks that left. */
  readonly #finished = new LRUCache<string, Finished>({ max: MAX_FINISHED });

  constructor(context: RunContext, outbox: Outbox, hooks: IntakeHooks) {
    this.#context = context;
    this.#outbox = outbox;
    this.#hooks = hooks;
  }

  /** @returns how many of the tasks are new work. A server may return more than was asked for; all are taken. */
  accept(job: OpenJob, tasks: WithLeftOut<readonly Task[]>, leasedAt: Instant): number {
    this.#context.pace.taken(job, tasks, this.#context.clock.now());
    const fresh = tasks.flatMap((task) => this.#take(job, task, leasedAt) ?? []);
    this.#hooks.start(fresh);
    this.refuse(job, leftOutOf(tasks), leasedAt);
    return fresh.length;
  }

  /**
   * Answers reserved tasks that cannot be read with an error result, as far as they say whose it is: their cause is permanent, and the
   * job could not end without. The others are told of once and left to the server.
   * @returns how many could be answered.
   */
  refuse(job: OpenJob, leftOut: readonly LeftOut[], leasedAt: Instant): number {
    const { bus, tally } = this.#context;
    let answered = 0;
    for (const bad of wholeTasks(leftOut)) {
      const task = answerable(bad.item);
      if (this.#told.isNew(String(job.id), bad)) {
        const { path, id, problem } = bad;
        bus.emit('left_out', {
          what: 'task',
          jobId: job.id,
          id,
          path,
          problem,
          answered: task !== undefined,
        });
        if (!task) tally.leftOut();
      }
      if (!task) continue;
      answered += 1;
      const item = this.#take(job, task, leasedAt);
      if (item) this.#hooks.fail(item, new PermanentTaskError(`the task cannot be read: ${bad.problem}`));
    }
    return answered;
  }

  /** @returns undefined for a task that we hold or have just posted. */
  #take(job: OpenJob, task: Task, leasedAt: Instant): WorkItem | undefined {
    const { hold, tally } = this.#context;
    const held = hold.get(taskKey(job.id, task.id));
    if (held) {
      this.#learn(held, task, job.id);
      held.redelivered(task.reply_subject, leasedAt);
      return undefined;
    }
    const item = new WorkItem(task, job, leasedAt);
    hold.add(item);
    tally.add(job.id, 'taken');
    return this.#isRepeat(item, job) ? undefined : item;
  }

  /** A task left the worker. */
  settled(item: WorkItem, fate: Fate): void {
    // A first delivery of a task that we know is one of a job that was started over.
    const known = item.delivery === 1 ? undefined : this.#finished.peek(item.key);
    const isPosted = fate === 'posted';
    const mark = isPosted ? this.#context.pace.mark(item.jobId) : known?.mark;
    // A repeat that was held back left without a result of its own, and its result is with the server all the same.
    const isAccepted = isPosted || (known?.isAccepted ?? false);
    this.#finished.set(item.key, { leasedAt: item.leasedAt, isAccepted, mark });
  }

  /** A task that we posted comes again: the same bytes go out again, or wait, and the model does not run twice. */
  #isRepeat(item: WorkItem, job: OpenJob): boolean {
    const { clock, leases, pace } = this.#context;
    const nowMs = clock.now();
    const { delivery = 1 } = item;
    const finished = this.#finished.peek(item.key);
    // Also of tasks that others had before: theirs may be in the server's backlog too.
    if (delivery > 1 && (!finished || finished.isAccepted))
      pace.repeat(job, item.task, finished !== undefined, nowMs);
    if (!finished) return false;
    // A first delivery of a task that left long ago is one of a job that was started over. A later one is the same task, however long
    // it took somebody to ask for it again.
    const maxAgeMs = delivery > 1 ? Number.POSITIVE_INFINITY : 2 * leases.lengthMs;
    if (leases.ageMs(finished) > maxAgeMs) return false;
    this.#learn(finished, item.task, item.jobId);
    if (this.#isInBacklog(item, finished)) return true;
    const outcome = this.#outbox.recent.get(item.key, maxAgeMs, nowMs);
    if (outcome) this.#outbox.offer(outboxEntry(item, outcome, nowMs));
    return outcome !== undefined;
  }

  /**
   * Its accepted result waits to be saved. Posting it again would make the backlog longer, and what is saved acknowledges every delivery.
   * This delivery is left to lapse; the last one never is, because saving may have failed.
   */
  #isInBacklog(item: WorkItem, { isAccepted, mark }: Finished): boolean {
    const { pace, clock, hold, options, client } = this.#context;
    const { jobId, delivery = 1 } = item;
    if (!isAccepted || delivery < 2 || delivery >= options.rules.maxDeliveries) return false;
    if (!pace.explains(jobId, mark, clock.now())) return false;
    client.logger.debug(
      { job: jobId, task: item.task.image_id },
      'its result waits to be saved; not posted again',
    );
    hold.settle(item, 'lapsed');
    return true;
  }

  #learn(known: { readonly leasedAt: Instant }, task: Task, jobId: number): void {
    const { leases, bus, logger } = this.#context;
    const sinceMs = leases.ageMs(known);
    const delivery = deliveryNumber(task.reply_subject);
    bus.emit('redelivered', { jobId, imageId: task.image_id, attempt: delivery, sinceMs });
    if (!leases.observeRedelivery(known, delivery)) return;
    bus.emit('lease_learned', { leaseMs: leases.lengthMs });
    logger.warn(
      { job: jobId, task: task.image_id, leaseMs: Math.round(leases.lengthMs) },
      'a task came back sooner than its lease was assumed to last; from now on leases count as this short',
    );
  }
}
