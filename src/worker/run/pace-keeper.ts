import { LRUCache } from 'lru-cache';
import type { AntennaClient } from '../../client/client.js';
import { savedOf } from '../../contract/jobs.js';
import type { Task } from '../../contract/tasks.js';
import type { Clock } from '../../time/clock.js';
import { streamPlace } from '../policy/delivery.js';
import type { WorkerEventBus } from '../observe/events.js';
import type { Leases } from '../policy/lease/lease.js';
import type { OpenJob } from '../policy/rotation/rotation.js';
import type { SavingGauge } from '../observe/snapshot.js';
import { JobPace, type PaceFigures } from '../policy/sizing/job-pace.js';
import type { Hold } from '../task/hold.js';
import type { Phases } from '../task/phases.js';
import { TaskSet } from '../task/task-set.js';

/** Jobs that are kept. One that is forgotten is learned again. */
const MAX_JOBS = 1_000;
/** A look that takes longer says nothing any more. */
const LOOK_TIMEOUT_MS = 10_000;

/** What of a run's context the keeper works with. */
export interface PaceContext {
  readonly client: Pick<AntennaClient, 'jobs' | 'logger'>;
  readonly clock: Clock;
  readonly bus: WorkerEventBus;
  readonly leases: Leases;
  readonly hold: Hold;
  readonly phases: Pick<Phases, 'drain'>;
  /** There may be room where there was none. */
  readonly changed: () => void;
}

interface Entry {
  readonly job: OpenJob;
  readonly pace: JobPace;
  isLimited: boolean;
  isLooking: boolean;
  timer: { readonly dueAtMs: number; readonly cancel: () => void } | undefined;
}

/** Keeps every job at the pace of the server's saving: hears of what happens to its tasks, asks for its progress while there is reason to. */
export class PaceKeeper {
  readonly #context: PaceContext;
  readonly #entries: LRUCache<number, Entry>;
  readonly #looks: TaskSet;
  readonly #unlisten: readonly (() => void)[];
  /** Of the job that was looked at last: the next one is the same server's. */
  #assumed: number | undefined;

  constructor(context: PaceContext) {
    this.#context = context;
    this.#entries = new LRUCache({
      max: MAX_JOBS,
      dispose: (entry) => {
        entry.timer?.cancel();
      },
    });
    this.#looks = new TaskSet((error) => {
      context.client.logger.debug({ error }, 'looking at the progress of a job failed');
    });
    const forget = ({ jobId }: { readonly jobId: number }): void => {
      this.#entries.delete(jobId);
    };
    this.#unlisten = [context.bus.on('job_removed', forget), context.bus.on('job_rejected', forget)];
    // Nothing is reserved any more, and so nothing is asked.
    context.phases.drain.addEventListener(
      'abort',
      () => {
        this.#entries.clear();
      },
      { once: true },
    );
  }

  /** How many tasks of the job may be taken now; infinite where nothing holds them back. */
  room(job: OpenJob, nowMs: number): number {
    const entry = this.#entry(job);
    const room = entry.pace.room(job.pipeline.batchSize, nowMs);
    this.#judge(entry, room, nowMs);
    this.#consider(job.id, entry, nowMs);
    return room;
  }

  /** Tasks came. */
  taken(job: OpenJob, tasks: readonly Task[], nowMs: number): void {
    let newest: { readonly streamSequence: number; readonly undelivered: number } | undefined;
    for (const { reply_subject } of tasks) {
      const place = streamPlace(reply_subject);
      if (!place) continue;
      // The end of the stream shows in any of them, what is left to be delivered in the last.
      const streamSequence = place.streamSequence + place.undelivered;
      const undelivered = Math.min(newest?.undelivered ?? place.undelivered, place.undelivered);
      const end = Math.max(streamSequence, newest ? newest.streamSequence + newest.undelivered : 0);
      newest = { streamSequence: end - undelivered, undelivered };
    }
    const entry = this.#entry(job);
    entry.pace.taken(tasks.length, newest, job.pipeline.batchSize, nowMs);
    this.#consider(job.id, entry, nowMs);
  }

  /** A task came again that this worker did not lose. @param isOwn - its result was accepted from us. */
  repeat(job: OpenJob, { reply_subject }: Task, isOwn: boolean, nowMs: number): void {
    const entry = this.#entry(job);
    const sequence = streamPlace(reply_subject)?.streamSequence;
    entry.pace.repeat(job.pipeline.batchSize, nowMs, isOwn, sequence);
    this.#consider(job.id, entry, nowMs);
  }

  /** Results were accepted. @param holdMs - from the reservation of their tasks until now, on average. */
  accepted(jobId: number, count: number, holdMs: number, nowMs: number): void {
    const entry = this.#entries.get(jobId);
    if (!entry) return;
    entry.pace.accepted(count, holdMs);
    this.#consider(jobId, entry, nowMs);
  }

  /** What stood in line when a result was accepted now; for {@link explains}. */
  mark(jobId: number): number | undefined {
    return this.#entries.peek(jobId)?.pace.delivered;
  }

  /** Whether a task comes again only because its accepted result is not saved yet. */
  explains(jobId: number, mark: number | undefined, nowMs: number): boolean {
    return this.#entries.peek(jobId)?.pace.explains(mark, nowMs) ?? false;
  }

  /** The run is over. */
  close(): void {
    for (const unlisten of this.#unlisten) unlisten();
    this.#entries.clear();
  }

  /** Jobs for which the server's saving is the limit. */
  limited(nowMs: number): Readonly<Record<string, SavingGauge>> {
    const jobs: Record<string, SavingGauge> = {};
    for (const [id, { isLimited, job, pace }] of this.#entries.entries())
      if (isLimited) jobs[id] = { pipeline: job.pipeline.slug, ...pace.figures(nowMs) };
    return jobs;
  }

  /** In words, a sentence for each job whose limit is the server's saving. */
  explain(nowMs: number): string[] {
    return Object.entries(this.limited(nowMs)).map(([jobId, figures]) => sentence(jobId, figures));
  }

  #entry(job: OpenJob): Entry {
    const known = this.#entries.get(job.id);
    if (known) return known;
    const { leases } = this.#context;
    const pace = new JobPace(() => leases.lengthMs, this.#assumed);
    const entry: Entry = { job, pace, isLimited: false, isLooking: false, timer: undefined };
    this.#entries.set(job.id, entry);
    return entry;
  }

  /** Tells when saving becomes the limit, and when it is none any more. In between there is no room at times, and some at others. */
  #judge(entry: Entry, room: number, nowMs: number): void {
    const { pace, job, isLimited } = entry;
    const figures = pace.figures(nowMs);
    if (!isLimited && (room > 0 || (figures !== undefined && !pace.isHeldBack))) return;
    if (isLimited && !(figures ? pace.keepsUp : pace.wasClean(nowMs))) return;
    entry.isLimited = !isLimited;
    const { bus, client } = this.#context;
    bus.emit('saving', { jobId: job.id, pipeline: job.pipeline.slug, limited: entry.isLimited, ...figures });
    const text = entry.isLimited ? sentence(job.id, figures) : 'the server keeps up with saving again';
    client.logger.info({ job: job.id }, text);
  }

  /** Looks if it is time to, or sees to it that it is done in time. */
  #consider(jobId: number, entry: Entry, nowMs: number): void {
    const { clock, phases } = this.#context;
    const dueAtMs = entry.isLooking || phases.drain.aborted ? undefined : entry.pace.lookDueAtMs(nowMs);
    if (dueAtMs === entry.timer?.dueAtMs) return;
    entry.timer?.cancel();
    entry.timer = undefined;
    if (dueAtMs === undefined) return;
    if (dueAtMs <= nowMs) {
      entry.isLooking = true;
      this.#looks.start(() => this.#look(jobId, entry));
      return;
    }
    const cancel = clock.schedule(dueAtMs - nowMs, () => {
      entry.timer = undefined;
      this.#consider(jobId, entry, clock.now());
    });
    entry.timer = { dueAtMs, cancel };
  }

  async #look(jobId: number, entry: Entry): Promise<void> {
    const { client, clock, phases, hold, changed } = this.#context;
    let progress: ReturnType<typeof savedOf>;
    try {
      const options = { logsLimit: 1, retries: 0, timeoutMs: LOOK_TIMEOUT_MS, signal: phases.drain };
      progress = savedOf(await client.jobs.get(jobId, options));
    } finally {
      entry.isLooking = false;
      const nowMs = clock.now();
      entry.pace.looked(progress, hold.of(jobId).size, nowMs);
      this.#assumed = entry.pace.assumable ?? this.#assumed;
      if (this.#entries.peek(jobId) === entry) this.#consider(jobId, entry, nowMs);
      changed();
    }
  }
}

function sentence(jobId: number | string, figures: Partial<PaceFigures> | undefined): string {
  const { perSecond, outstanding, limit } = figures ?? {};
  const start = `Job ${jobId}: the server's saving is the limit`;
  if (perSecond === undefined || outstanding === undefined || limit === undefined)
    return `${start}: tasks come again whose results it has, so fewer are taken.`;
  return (
    `${start}: it saves ${perSecond.toFixed(1)} results a second, so of all workers' tasks at most ${Math.round(limit)} should be ` +
    `between reservation and saving, and ${Math.round(outstanding)} are. More workers would not make it faster.`
  );
}
