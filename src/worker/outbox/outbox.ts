import { refOf, type RunContext } from '../run/context.js';
import { TaskSet } from '../task/task-set.js';
import { lastShare } from '../policy/shares/shares.js';
import { BodyCap } from '../policy/learned-limits.js';
import { bytesOf, type OutboxBlock, type OutboxEntry, type WriteAhead } from './entry.js';
import { JobQueue, type PostMoment } from './job-queue.js';
import { Parcel, type ParcelPort, type ParcelTools } from './parcel.js';
import { Poster, type PosterPort } from './poster.js';
import { RecentResults } from './recent-results.js';
import { WaitingPosts, type WaitingPost } from './waiting-posts.js';

/** What the outbox needs of a run. */
export type OutboxPort = Pick<RunContext, 'leases' | 'estimator' | 'pace' | 'changed'> &
  PosterPort &
  ParcelPort;

/** Posts of one job under way or waiting for their next try: its results overlap with the next post's packing, and no more. */
const MAX_POSTS_PER_JOB = 2;
/** A result whose lease is this short does not wait for company. */
const URGENT_MS = 5_000;

/** Holds computed results until the server has them. Bounded, and full means that nothing is reserved, never that something is lost. */
export class Outbox {
  readonly recent = new RecentResults();
  readonly #context: OutboxPort;
  readonly #writeAhead: WriteAhead | undefined;
  readonly #queues = new Map<number, JobQueue>();
  readonly #waiting = new WaitingPosts();
  /** Posts by job: being written, waiting for their turn, or under way. */
  readonly #packed = new Map<number, number>();
  /** Posts by job that are under way. */
  readonly #inFlight = new Map<number, number>();
  /** Bytes by job. */
  readonly #bytesOf = new Map<number, number>();
  readonly #poster: Poster;
  readonly #tasks: TaskSet;
  readonly #tools: ParcelTools;
  readonly #left: OutboxEntry[] = [];
  #timer: { readonly dueAtMs: number; readonly cancel: () => void } | undefined;
  #bytes = 0;

  constructor(
    context: OutboxPort,
    hooks: Pick<ParcelTools, 'gone' | 'rejected'> & { readonly accepted: (jobId: number) => void },
    writeAhead?: WriteAhead,
  ) {
    this.#context = context;
    this.#writeAhead = writeAhead;
    this.#tasks = new TaskSet((error) => {
      context.note(error, 'posting results');
    });
    this.#poster = new Poster(context, (entries, durationMs) => {
      this.#accepted(entries, durationMs);
      const [first] = entries;
      if (first) hooks.accepted(first.item.jobId);
    });
    this.#tools = { context, poster: this.#poster, cap: new BodyCap(context.options.maxPostBytes), ...hooks };
  }

  /** Bytes of results that are not accepted yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Why nothing at all should be reserved. */
  get blocked(): OutboxBlock {
    if (this.#writeAhead?.trouble !== undefined) return 'spool';
    return this.#bytes >= this.#context.options.outboxBytes ? 'full' : undefined;
  }

  /** Whether nothing of this job should be reserved: its posts are refused, or its results have all the memory that one job may have. */
  isBlockedFor(jobId: number): boolean {
    if (this.#poster.isRefused(jobId)) return true;
    const { outboxBytes } = this.#context.options;
    return (this.#bytesOf.get(jobId) ?? 0) >= outboxBytes - lastShare(outboxBytes);
  }

  /** Whether the server refuses our credential for every job's results: one task is enough to see whether it takes a new job's. */
  get isDoubtful(): boolean {
    return this.#poster.isDoubtful;
  }

  /** Whether the server has accepted results of this job lately. */
  hasAccepted(jobId: number): boolean {
    return this.#poster.hasAccepted(jobId);
  }

  /** Tells the register of posts that do not end. */
  watch(nowMs: number): void {
    this.#poster.watch(nowMs);
  }

  offer(entry: OutboxEntry): void {
    entry.item.stage = 'outbox';
    this.#count(entry.item.jobId, entry.bytes);
    let queue = this.#queues.get(entry.item.jobId);
    if (!queue) this.#queues.set(entry.item.jobId, (queue = new JobQueue()));
    queue.add(entry);
    this.pump();
  }

  /** Starts the posts that are due. Called whenever something changed; harmless otherwise. */
  pump(): void {
    if (this.#context.phases.hard.aborted) {
      this.#setTimer(undefined);
      return;
    }
    for (const [jobId, queue] of this.#queues) {
      while (this.#mayPack(jobId)) {
        const entries = queue.takeDue(this.#moment(jobId));
        if (entries.length === 0) break;
        this.#pack(jobId, entries);
      }
      if (queue.size === 0) this.#queues.delete(jobId);
    }
    this.#setTimer(this.#nextDueAtMs());
  }

  idle(): Promise<void> {
    return this.#tasks.idle();
  }

  /** At the end of a run, after `idle`: puts on disk what is not accepted. What cannot be stays in hand. */
  async spoolLeft(): Promise<void> {
    this.#setTimer(undefined);
    for (const post of this.#waiting.takeAll()) this.#leave(post, post.entries);
    const left = [...this.#left.splice(0), ...[...this.#queues.values()].flatMap((queue) => queue.takeAll())];
    this.#queues.clear();
    if (!this.#writeAhead) return;
    for (const [jobId, entries] of byJob(left)) {
      const written = await this.#writeAhead.write(jobId, entries);
      if (written) for (const { item } of entries) this.#context.hold.settle(item, 'spooled');
    }
  }

  /** Makes a post of these entries. With a spool it is on disk from then on, whenever its turn comes. */
  #pack(jobId: number, entries: readonly OutboxEntry[]): void {
    count(this.#packed, jobId, 1);
    const writeAhead = this.#writeAhead;
    if (!writeAhead) {
      this.#waiting.add({ jobId, entries, written: undefined });
      this.#send();
      return;
    }
    this.#tasks.start(async () => {
      this.#waiting.add({ jobId, entries, written: await writeAhead.write(jobId, entries) });
      this.#send();
    });
  }

  /** Starts as many of the waiting posts as may be under way. */
  #send(): void {
    while (!this.#context.phases.hard.aborted) {
      const post = this.#waiting.takeNext((jobId) => this.#mayPost(jobId));
      if (!post) return;
      count(this.#inFlight, post.jobId, 1);
      this.#tasks.start(() => this.#start(post));
    }
  }

  async #start(post: WaitingPost): Promise<void> {
    const { jobId, entries } = post;
    try {
      await this.#deliver(post);
    } finally {
      this.#count(jobId, -bytesOf(entries));
      count(this.#inFlight, jobId, -1);
      count(this.#packed, jobId, -1);
      this.#send();
      this.pump();
      this.#context.changed();
    }
  }

  async #deliver(post: WaitingPost): Promise<void> {
    const { jobId, entries, written } = post;
    const { left, dropped } = await new Parcel(jobId, this.#tools).deliver(entries);
    if (left.length > 0) this.#leave(post, left);
    else await (dropped > 0 ? written?.bury() : written?.remove());
  }

  /** The run ends. On disk means delivered later; in memory means that somebody has to be told. */
  #leave({ written }: WaitingPost, left: readonly OutboxEntry[]): void {
    if (written) for (const { item } of left) this.#context.hold.settle(item, 'spooled');
    else this.#left.push(...left);
  }

  #accepted(entries: readonly OutboxEntry[], durationMs: number): void {
    const { hold, leases, bus, estimator, pace } = this.#context;
    const now = leases.clock.instant();
    const nowMs = now.monotonicMs;
    const [first] = entries;
    if (!first) return;
    let lateSince: number | undefined;
    const slackMs: number[] = [];
    let holdMs = 0;
    let longestMs = 0;
    for (const { item, outcome } of entries) {
      const remainingMs = leases.remainingMs(item, now);
      slackMs.push(remainingMs);
      holdMs += (nowMs - item.leasedAt.monotonicMs) / entries.length;
      if (remainingMs < 0) {
        lateSince = Math.max(lateSince ?? 0, item.leasedAt.monotonicMs);
        bus.emit('task_late', { ...refOf(item), lateMs: -remainingMs });
      }
      if (item.computedAtMs !== undefined) {
        const ownMs = nowMs - item.computedAtMs;
        longestMs = Math.max(longestMs, ownMs);
        estimator.post(item.jobId, ownMs, nowMs);
      }
      this.recent.add(item.key, outcome, nowMs);
      hold.settle(item, 'posted');
    }
    pace.accepted(first.item.jobId, entries.length, holdMs, nowMs);
    estimator.posted(
      first.item.pipeline.slug,
      first.item.jobId,
      { lateSinceMs: lateSince, longestMs },
      nowMs,
    );
    bus.emit('posted', {
      jobId: first.item.jobId,
      count: entries.length,
      imageIds: entries.map(({ item }) => item.task.image_id),
      slackMs,
      bytes: bytesOf(entries),
      durationMs,
    });
  }

  #count(jobId: number, bytes: number): void {
    this.#bytes += bytes;
    count(this.#bytesOf, jobId, bytes);
  }

  /** With a spool at once: results in memory that wait for a slow server would be computed again after a crash. */
  #mayPack(jobId: number): boolean {
    return this.#writeAhead !== undefined || this.#mayPost(jobId);
  }

  #mayPost(jobId: number): boolean {
    return (this.#inFlight.get(jobId) ?? 0) < MAX_POSTS_PER_JOB;
  }

  #moment(jobId: number): PostMoment {
    const { options, hold, leases, clock, phases } = this.#context;
    return {
      nowMs: clock.now(),
      lingerMs: phases.drain.aborted ? 0 : options.lingerMs,
      maxBytes: this.#tools.cap.bytes,
      maxResults: options.maxPostResults,
      inFlight: this.#packed.get(jobId) ?? 0,
      nothingComing: () => hold.isComputedOf(jobId),
      urgent: ({ item }) => leases.remainingMs(item) < URGENT_MS,
    };
  }

  /** When the next post has waited long enough; undefined when nothing waits for the time. */
  #nextDueAtMs(): number | undefined {
    let nextMs: number | undefined;
    for (const [jobId, queue] of this.#queues) {
      // A job that may not pack has nothing to wake up for: the end of a post calls here.
      if (!this.#mayPack(jobId)) continue;
      const dueAtMs = queue.dueAtMs(this.#context.options.lingerMs);
      if (dueAtMs !== undefined) nextMs = Math.min(nextMs ?? dueAtMs, dueAtMs);
    }
    return nextMs;
  }

  /** Every step of every task comes here, and most change nothing: the timer that runs is left alone then. */
  #setTimer(dueAtMs: number | undefined): void {
    if (this.#timer?.dueAtMs === dueAtMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (dueAtMs === undefined) return;
    const { clock } = this.#context;
    const cancel = clock.schedule(Math.max(1, dueAtMs - clock.now()), () => {
      this.#timer = undefined;
      this.pump();
    });
    this.#timer = { dueAtMs, cancel };
  }
}

function count(counts: Map<number, number>, jobId: number, change: number): void {
  const now = (counts.get(jobId) ?? 0) + change;
  if (now > 0) counts.set(jobId, now);
  else counts.delete(jobId);
}

function byJob(entries: readonly OutboxEntry[]): Map<number, OutboxEntry[]> {
  const jobs = new Map<number, OutboxEntry[]>();
  for (const entry of entries) {
    const { jobId } = entry.item;
    jobs.set(jobId, [...(jobs.get(jobId) ?? []), entry]);
  }
  return jobs;
}
