import { AntennaError } from '../../errors/base.js';
import {
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  PermissionDeniedError,
} from '../../errors/api.js';
import { leftOutOf } from '../../contract/answer.js';
import type { Task } from '../../contract/tasks.js';
import { pendingTasks } from '../policy/delivery.js';
import type { Instant } from '../policy/lease/lease.js';
import type { Outbox } from '../outbox/outbox.js';
import { askedWaitMs } from '../outbox/post-verdict.js';
import { holdBackoffMs, postBackoffCapMs } from '../policy/backoff.js';
import {
  emptyBackoffMs,
  type Choice,
  type OpenJob,
  type Outlook,
  type Rotation,
  type Turn,
} from '../policy/rotation/rotation.js';
import { MAX_RESERVATIONS, Reservations } from '../policy/shares/reservations.js';
import { publishSpan } from '../observe/spans.js';
import { ClosedPipelines } from '../run/closed-pipelines.js';
import type { RunContext } from '../run/context.js';
import type { Intake } from './intake.js';
import { Room } from './room.js';
import { TaskSet } from '../task/task-set.js';
import type { Wakeup } from '../task/wakeup.js';

/** How long a job is left alone that is not ours: the list is not scoped to the credential (trap T15). */
export const MUTE_MS = 600_000;
/** Longest wait of a turn: something may have changed that nobody told the loop of. */
const MAX_WAIT_MS = 1_000;
/** Model time that each job gets in a round, at least. */
const MIN_QUANTUM_MS = 5_000;
/** Jobs whose reservations fail one after the other, with none answered between, before it is the server and not the jobs. */
const EVERYTHING = 3;
/** Then the next job is tried so much later: it may be the one that is well, and hundreds must not be tried at once. */
const EVERYTHING_PAUSE_MS = 500;
/** An answer that takes longer hangs: an empty one takes half a second. */
const HANGING_MS = 5_000;

/** What the loop works with beside the run's context. */
export interface ReserveLoopParts {
  readonly rotation: Rotation;
  readonly intake: Intake;
  readonly outbox: Outbox;
  readonly wakeup: Wakeup;
  readonly isPaused: () => boolean;
  /** Asked when there is nothing to do. */
  readonly isDrained: () => boolean;
  readonly onContact: () => void;
  /** A reservation failed for a passing reason: silence since then says nothing about the queue. */
  readonly onOutage: () => void;
  /** A job was empty and nothing is in hand. */
  readonly onIdle: () => void;
  /** Why no task of a pipeline should be taken now; undefined if it may. */
  readonly closedBecause: (slug: string) => string | undefined;
  /** Lets stages look again after the clock jumped. */
  readonly pumpAll: () => void;
  /** Looks for what does not end. */
  readonly watch: (nowMs: number) => void;
}

/**
 * Takes tasks while there is room: one loop, at most one request a job and several jobs at once, so that one that answers slowly or not
 * at all costs only its own turn; and one place that catches whatever a turn throws, so that nothing can make it stop polling.
 */
export class ReserveLoop {
  readonly #context: RunContext;
  readonly #parts: ReserveLoopParts;
  readonly #requests: TaskSet;
  readonly #reservations = new Reservations();
  readonly #room: Room;
  readonly #closed: ClosedPipelines;
  /** Jobs whose reservations failed since the last one that was answered. */
  readonly #failing = new Set<number>();
  #refusals = 0;
  /** Before then nothing is reserved: the server failed or refused our credential. */
  #notBefore = 0;
  #lastTurnAt: number;

  constructor(context: RunContext, parts: ReserveLoopParts) {
    this.#context = context;
    this.#parts = parts;
    this.#lastTurnAt = context.clock.now();
    this.#room = new Room(context, parts.outbox, this.#reservations);
    this.#closed = new ClosedPipelines(context, parts.closedBecause);
    this.#requests = new TaskSet((error) => {
      context.note(error, 'looking for tasks');
    });
  }

  /** When the last turn ended, on the monotonic clock: the fact behind "it still polls". */
  get lastTurnAtMs(): number {
    return this.#lastTurnAt;
  }

  /** Runs until the run drains, or there is nothing left to take. */
  async run(): Promise<void> {
    const { phases, clock, note } = this.#context;
    while (!phases.drain.aborted) {
      let waitMs = MAX_WAIT_MS;
      try {
        if (this.#reservations.size === 0 && this.#parts.isDrained()) return;
        waitMs = this.#turn();
      } catch (error) {
        note(error, 'looking for tasks');
      }
      this.#lastTurnAt = clock.now();
      if (waitMs > 0) await this.#parts.wakeup.wait(Math.min(waitMs, MAX_WAIT_MS), phases.drain);
    }
    // The server may already have leased the tasks: what comes in time is taken.
    await this.#requests.idle();
  }

  /** Tells the register of requests that do not end. */
  watch(nowMs: number): void {
    for (const [jobId, sinceMs] of this.#reservations.sent)
      if (nowMs - sinceMs > HANGING_MS)
        this.#context.troubles.hangs('reserve', String(jobId), nowMs, { sinceMs });
  }

  /** @returns how long to wait before the next turn, unless something changes. */
  #turn(): number {
    const { clock, leases, bus } = this.#context;
    const { rotation, isPaused, outbox, pumpAll, watch } = this.#parts;
    const jumpMs = leases.clock.takeJump();
    if (jumpMs !== undefined) {
      bus.emit('clock_jump', { jumpMs });
      pumpAll();
    }
    const nowMs = clock.now();
    watch(nowMs);
    if (isPaused() || outbox.blocked !== undefined) return MAX_WAIT_MS;
    if (nowMs < this.#notBefore) return this.#notBefore - nowMs;
    this.#closed.look();
    this.#room.beginTurn();
    const turn = this.#rotationTurn(nowMs);
    while (this.#reservations.size < MAX_RESERVATIONS) {
      const choice = rotation.next(turn);
      if (!choice) break;
      this.#start(choice);
      // While everything fails, one at a time finds out whether it still does.
      if (this.#failing.size >= EVERYTHING) break;
    }
    const nextAtMs = rotation.nextAtMs(nowMs);
    // Nobody tells the loop when a closed pipeline opens.
    if (nextAtMs === undefined || this.#closed.any) return MAX_WAIT_MS;
    return Math.max(1, nextAtMs - nowMs);
  }

  #rotationTurn(nowMs: number): Turn {
    const { estimator, options } = this.#context;
    const costMs = (slug: string): number | undefined => estimator.taskMeanMs(slug, nowMs);
    const batchOf = (slug: string): number => options.pipelines.get(slug)?.batchSize ?? 1;
    return {
      nowMs,
      costMs,
      quantumMs: (slug) => Math.max(MIN_QUANTUM_MS, batchOf(slug) * (costMs(slug) ?? 0)),
      room: (job, outlook) =>
        (this.#failing.size >= EVERYTHING && this.#reservations.size > 0) ||
        this.#closed.has(job.pipeline.slug)
          ? 0
          : this.#room.of(job, outlook, nowMs),
    };
  }

  #start({ job, count, outlook }: Choice): void {
    this.#reservations.begin(job, { count, outlook, sentAtMs: this.#context.clock.now() });
    this.#requests.start(async () => {
      try {
        await this.#reserve(job, count, outlook);
      } finally {
        this.#reservations.end(job.id);
        this.#parts.wakeup.notify();
      }
    });
  }

  async #reserve(job: OpenJob, count: number, outlook: Outlook): Promise<void> {
    const { clock, client, phases, leases, estimator, troubles } = this.#context;
    // The lease runs from the server's delivery, which cannot be earlier than this.
    const leasedAt = leases.clock.instant();
    let tasks: readonly Task[];
    try {
      // Not tied to the drain signal itself: the server may already have leased the tasks, so what comes in time is taken.
      const options = { signal: phases.reserveCutoff, retries: 0 };
      tasks = await client.tasks.reserve(job.id, { batchSize: count }, options);
    } catch (error) {
      this.#failed(error, job, leasedAt);
      return;
    }
    const nowMs = clock.now();
    this.#context.server.well('reserving', job.id, nowMs);
    this.#failing.clear();
    this.#refusals = 0;
    troubles.worked('reserve', String(job.id), nowMs);
    this.#parts.onContact();
    const durationMs = nowMs - leasedAt.monotonicMs;
    publishSpan('reserve', () => ({ jobId: job.id, tasks: tasks.length, durationMs }));
    if (tasks.length > 0) estimator.reserve(job.pipeline.slug, job.id, durationMs, nowMs);
    this.#reservations.answered(outlook, tasks.length);
    this.#answered(job, tasks, { count, leasedAt, durationMs });
  }

  #answered(
    job: OpenJob,
    tasks: readonly Task[],
    asked: { readonly count: number; readonly leasedAt: Instant; readonly durationMs: number },
  ): void {
    const { bus, clock, leases, options, estimator, hold } = this.#context;
    const { rotation, intake } = this.#parts;
    const nowMs = clock.now();
    const last = tasks.at(-1);
    if (last === undefined) {
      rotation.empty(job.id, nowMs, (empties) => {
        bus.emit('empty', { jobId: job.id, empties });
        return emptyBackoffMs(empties, leases.lengthMs, options.random(), options.pollIntervalMs);
      });
      if (hold.size === 0) this.#parts.onIdle();
      return;
    }
    const costMs = estimator.taskMeanMs(job.pipeline.slug, nowMs) ?? MIN_QUANTUM_MS / asked.count;
    const isMore = (pendingTasks(last.reply_subject) ?? tasks.length - asked.count + 1) > 0;
    rotation.served(job.id, tasks.length * costMs, nowMs, isMore ? 'work' : 'little');
    this.#room.seen(job.id, tasks);
    const fresh = intake.accept(job, tasks, asked.leasedAt);
    bus.emit('reserved', { jobId: job.id, count: fresh, asked: asked.count, durationMs: asked.durationMs });
  }

  #failed(error: unknown, job: OpenJob, leasedAt: Instant): void {
    const { note, clock, phases, bus, options, leases, troubles, server } = this.#context;
    // No task of the answer was good; those that can be answered are, or the job would never end.
    const answered = this.#parts.intake.refuse(job, leftOutOf(error), leasedAt);
    if (phases.reserveCutoff.aborted) return;
    const nowMs = clock.now();
    note(error, 'reserving tasks', job.id);
    server.failed('reserving', job.id, error, nowMs);
    if (answered > 0) {
      this.#parts.rotation.served(job.id, 0, nowMs);
      return;
    }
    if (error instanceof PermissionDeniedError || error instanceof BadRequestError || isMissing(error)) {
      this.#parts.rotation.mute(job.id, nowMs + MUTE_MS);
      troubles.forget(job.id, nowMs);
      const reason = error instanceof AntennaError ? error.message : 'refused';
      if (isMissing(error)) bus.emit('job_removed', { jobId: job.id, reason: 'gone' });
      else bus.emit('job_rejected', { jobId: job.id, reason });
      return;
    }
    this.#parts.onOutage();
    if (error instanceof AuthenticationError) {
      // The credential is everybody's. Once it is accepted again tasks are worth more than manners: within half a lease.
      this.#refusals += 1;
      this.#notBefore = nowMs + Math.min(holdBackoffMs(this.#refusals), leases.lengthMs / 2);
      return;
    }
    const detail = error instanceof AntennaError ? error.code : 'error';
    const capMs = postBackoffCapMs(leases.lengthMs);
    troubles.failed('reserve', String(job.id), nowMs, { detail, capMs });
    const ownMs = Math.max(100, (troubles.retryAtMs('reserve', String(job.id)) ?? nowMs) - nowMs);
    this.#parts.rotation.postpone(job.id, nowMs + ownMs);
    this.#failing.add(job.id);
    const askedMs = askedWaitMs(error);
    if (askedMs > 0) this.#notBefore = Math.max(this.#notBefore, nowMs + askedMs);
    else if (this.#failing.size >= EVERYTHING)
      this.#notBefore = Math.max(this.#notBefore, nowMs + EVERYTHING_PAUSE_MS * (0.5 + options.random() / 2));
  }
}

/** An HTML 404 is a proxy or a wrong address; only a JSON one says that the job is gone. */
function isMissing(error: unknown): boolean {
  return error instanceof NotFoundError && error.body !== undefined;
}
