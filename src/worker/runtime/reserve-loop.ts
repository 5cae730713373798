import { AntennaError } from '../../errors/base.js';
import {
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  PermissionDeniedError,
} from '../../errors/status.js';
import { leftOutOf } from '../../contract/answer.js';
import type { Task } from '../../contract/tasks.js';
import type { Instant } from '../lease/lease-clock.js';
import type { Outbox } from '../outbox/outbox.js';
import { holdBackoffMs, postBackoffMs } from '../outbox/backoff.js';
import { emptyBackoffMs } from '../rotation/empty-backoff.js';
import type { Choice, OpenJob, Rotation, Turn } from '../rotation/rotation.js';
import { askThreshold } from '../sizing/hold-target.js';
import { publishSpan } from '../stages/spans.js';
import { limitsOf, type RunContext } from './context.js';
import type { Intake } from './intake.js';
import type { Wakeup } from './wakeup.js';

/** How long a job is left alone that is not ours: the list is not scoped to the credential (trap T15). */
export const MUTE_MS = 600_000;
/** Longest wait of a turn: something may have changed that nobody told the loop of. */
const MAX_WAIT_MS = 1_000;
/** Model time that each job gets in a round, at least. */
const MIN_QUANTUM_MS = 5_000;

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
}

/**
 * Takes tasks while there is room: one loop, one request at a time, and one place that catches whatever a turn throws, so that nothing
 * can make it stop polling.
 */
export class ReserveLoop {
  readonly #context: RunContext;
  readonly #parts: ReserveLoopParts;
  #failures = 0;
  /** Before then nothing is reserved: the server failed or refused our credential. */
  #notBefore = 0;
  #lastTurnAt: number;
  readonly #warnedOf = new Set<string>();
  /** Pipelines that take no tasks, and why. */
  readonly #closed = new Map<string, string>();

  constructor(context: RunContext, parts: ReserveLoopParts) {
    this.#context = context;
    this.#parts = parts;
    this.#lastTurnAt = context.clock.now();
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
        if (this.#parts.isDrained()) return;
        waitMs = await this.#turn();
      } catch (error) {
        note(error, 'looking for tasks');
      }
      this.#lastTurnAt = clock.now();
      if (waitMs > 0) await this.#parts.wakeup.wait(Math.min(waitMs, MAX_WAIT_MS), phases.drain);
    }
  }

  /** @returns how long to wait before the next turn, unless something changes. */
  async #turn(): Promise<number> {
    const { clock, leases, bus } = this.#context;
    const { rotation, isPaused, outbox, pumpAll } = this.#parts;
    const jumpMs = leases.clock.takeJump();
    if (jumpMs !== undefined) {
      bus.emit('clock_jump', { jumpMs });
      pumpAll();
    }
    const nowMs = clock.now();
    if (isPaused() || outbox.blocked !== undefined) return MAX_WAIT_MS;
    if (nowMs < this.#notBefore) return this.#notBefore - nowMs;
    this.#lookForClosed();
    const choice = rotation.next(this.#rotationTurn(nowMs));
    // Nobody tells the loop when a closed pipeline opens.
    if (!choice && this.#closed.size > 0) return MAX_WAIT_MS;
    if (!choice) return Math.max(1, (rotation.nextAtMs() ?? Number.POSITIVE_INFINITY) - nowMs) || MAX_WAIT_MS;
    const count = this.#room(choice, nowMs);
    if (count === 0) return MAX_WAIT_MS;
    await this.#reserve(choice.job, count);
    return 0;
  }

  /** How many tasks of the job to ask for; 0 while what is missing is not worth a request. */
  #room({ job, maxTasks }: Choice, nowMs: number): number {
    const { estimator, hold, options, bus, client } = this.#context;
    const { slug, batchSize } = job.pipeline;
    const limits = limitsOf(this.#context);
    const sizing = estimator.sizing(slug, batchSize, limits, nowMs);
    if (sizing.leaseTooShort && !this.#warnedOf.has(slug)) {
      this.#warnedOf.add(slug);
      const explanation = estimator.explain(slug, batchSize, limits, nowMs);
      bus.emit('lease_too_short', { pipeline: slug, explanation });
      client.logger.warn({ pipeline: slug, leaseMs: limits.leaseMs }, explanation);
    }
    const missing = sizing.target - hold.size;
    if (missing < askThreshold(sizing, batchSize * options.concurrency)) return 0;
    return Math.min(missing, options.maxBatchSize, maxTasks);
  }

  #rotationTurn(nowMs: number): Turn {
    const { estimator, hold, options } = this.#context;
    const costMs = (slug: string): number | undefined => estimator.taskMeanMs(slug, nowMs);
    const batchOf = (slug: string): number => options.pipelines.get(slug)?.batchSize ?? 1;
    return {
      nowMs,
      costMs,
      quantumMs: (slug) => Math.max(MIN_QUANTUM_MS, batchOf(slug) * (costMs(slug) ?? 0)),
      busyJobs: () => hold.busyJobs(),
      isOpen: (slug) => !this.#closed.has(slug),
    };
  }

  /** Tells of every pipeline that stopped or may go on, once. */
  #lookForClosed(): void {
    const { options, bus, client } = this.#context;
    for (const slug of options.pipelines.keys()) {
      const reason = this.#parts.closedBecause(slug);
      const before = this.#closed.get(slug);
      if (reason === before) continue;
      if (reason === undefined) {
        this.#closed.delete(slug);
        client.logger.info({ pipeline: slug }, 'a pipeline takes tasks again');
        bus.emit('pipeline_opened', { pipeline: slug });
        continue;
      }
      this.#closed.set(slug, reason);
      client.logger.error({ pipeline: slug, reason }, 'a pipeline takes no tasks');
      bus.emit('pipeline_closed', { pipeline: slug, reason });
    }
  }

  async #reserve(job: OpenJob, count: number): Promise<void> {
    const { clock, client, phases, leases, estimator } = this.#context;
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
    this.#failures = 0;
    this.#context.trouble.well('reserving', job.id, nowMs);
    this.#parts.onContact();
    const durationMs = nowMs - leasedAt.monotonicMs;
    publishSpan('reserve', () => ({ jobId: job.id, tasks: tasks.length, durationMs }));
    if (tasks.length > 0) estimator.reserve(durationMs, nowMs);
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
    if (tasks.length === 0) {
      rotation.empty(job.id, nowMs, (empties) => {
        bus.emit('empty', { jobId: job.id, empties });
        return emptyBackoffMs(empties, leases.lengthMs, options.random(), options.pollIntervalMs);
      });
      if (hold.size === 0) this.#parts.onIdle();
      return;
    }
    const costMs = estimator.taskMeanMs(job.pipeline.slug, nowMs) ?? MIN_QUANTUM_MS / asked.count;
    rotation.served(job.id, tasks.length * costMs, nowMs);
    const fresh = intake.accept(job, tasks, asked.leasedAt);
    bus.emit('reserved', { jobId: job.id, count: fresh, asked: asked.count, durationMs: asked.durationMs });
  }

  #failed(error: unknown, job: OpenJob, leasedAt: Instant): void {
    const { note, clock, phases, bus, options, trouble } = this.#context;
    // No task of the answer was good; those that can be answered are, or the job would never end.
    const answered = this.#parts.intake.refuse(job, leftOutOf(error), leasedAt);
    if (phases.reserveCutoff.aborted) return;
    const nowMs = clock.now();
    note(error, 'reserving tasks', job.id);
    trouble.failed('reserving', job.id, error, nowMs);
    if (answered > 0) {
      this.#parts.rotation.served(job.id, 0, nowMs);
      return;
    }
    if (error instanceof PermissionDeniedError || error instanceof BadRequestError || isMissing(error)) {
      this.#parts.rotation.mute(job.id, nowMs + MUTE_MS);
      const reason = error instanceof AntennaError ? error.message : 'refused';
      if (isMissing(error)) bus.emit('job_removed', { jobId: job.id, reason: 'gone' });
      else bus.emit('job_rejected', { jobId: job.id, reason });
      return;
    }
    this.#failures += 1;
    this.#parts.onOutage();
    const refused = error instanceof AuthenticationError;
    const waitMs = refused
      ? holdBackoffMs(this.#failures)
      : Math.max(100, postBackoffMs(this.#failures, options.random()));
    this.#notBefore = nowMs + waitMs;
  }
}

/** An HTML 404 is a proxy or a wrong address; only a JSON one says that the job is gone. */
function isMissing(error: unknown): boolean {
  return error instanceof NotFoundError && error.body !== undefined;
}
