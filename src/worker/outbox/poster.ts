import { LRUCache } from 'lru-cache';
import { AntennaError } from '../../errors/base.js';
import { PermissionDeniedError } from '../../errors/api.js';
import { sleep } from '../../time/clock.js';
import { addressOutcome } from '../task/outcome.js';
import type { RunContext } from '../run/context.js';
import { PostSlots } from '../policy/shares/post-slots.js';
import { publishSpan } from '../observe/spans.js';
import { holdBackoffMs, postBackoffCapMs, postBackoffMs } from '../policy/backoff.js';
import type { OutboxEntry } from './entry.js';
import { askedWaitMs, judgePost, type PostVerdict } from './post-verdict.js';

/** What posting needs of a run. */
export type PosterPort = Pick<
  RunContext,
  'options' | 'client' | 'clock' | 'logger' | 'bus' | 'leases' | 'phases' | 'troubles'
>;

/** Longest backoff while the worker is ending. */
const HASTE_MS = 1_000;
/** Jobs whose posts are refused for our credential, with none accepted between, before those of others are doubted too. */
const DOUBTFUL = 2;
/** A post that takes longer hangs. */
const HANGING_MS = 5_000;
/** Jobs that are remembered for having accepted results. */
const MAX_PROVEN = 1_000;

/** How posting some entries ended, when it is not to be repeated. */
export type PostEnd =
  | { readonly verdict: 'accepted' }
  | { readonly verdict: Exclude<PostVerdict, 'retry' | 'hold'>; readonly error: unknown };

/** How one job's posts go. */
class JobPosts {
  /** Posts of this job that are not decided. */
  readonly open = new Set<object>();
  /** Of those, posts that the server refuses for our credential. */
  readonly refused = new Set<object>();
  /** When each post that is on the wire was sent. */
  readonly sent = new Set<{ readonly atMs: number }>();
  /** After a failure the job's posts wait. */
  pauseUntil = 0;
}

/**
 * Sends posts and repeats them for as long as that can help: late results still count (WORKER §1). Each job's posts wait for their own
 * next try; all wait only when the server asked for it.
 */
export class Poster {
  readonly #context: PosterPort;
  readonly #onAccepted: (entries: readonly OutboxEntry[], durationMs: number) => void;
  readonly #slots = new PostSlots();
  readonly #jobs = new Map<number, JobPosts>();
  readonly #proven = new LRUCache<number, true>({ max: MAX_PROVEN });
  /** Jobs whose posts were refused for our credential since the last one that was accepted. */
  readonly #refused = new Set<number>();
  /** Until then the server asked to be left alone. */
  #pauseUntil = 0;

  constructor(
    context: PosterPort,
    onAccepted: (entries: readonly OutboxEntry[], durationMs: number) => void,
  ) {
    this.#context = context;
    this.#onAccepted = onAccepted;
  }

  /** True while the server accepts our credential for no job's results. */
  get isDoubtful(): boolean {
    return this.#refused.size >= DOUBTFUL;
  }

  /** True while the server refuses our credential for this job's results. */
  isRefused(jobId: number): boolean {
    return (this.#jobs.get(jobId)?.refused.size ?? 0) > 0;
  }

  hasAccepted(jobId: number): boolean {
    return this.#proven.has(jobId);
  }

  /** Tells the register of posts that do not end. */
  watch(nowMs: number): void {
    let found = false;
    for (const [jobId, { sent }] of this.#jobs) {
      const [oldest] = sent;
      if (!oldest || nowMs - oldest.atMs <= HANGING_MS) continue;
      found = true;
      this.#context.troubles.hangs('post', String(jobId), nowMs, { sinceMs: oldest.atMs });
    }
    if (found) this.#slots.look();
  }

  /** Posts entries of one job until they are accepted, refused for good, or the run ends. Never throws. */
  async post(
    jobId: number,
    given: readonly OutboxEntry[],
  ): Promise<PostEnd & { readonly left: readonly OutboxEntry[] }> {
    const { phases } = this.#context;
    const token = {};
    const job = this.#open(jobId, token);
    let entries = given;
    try {
      for (let failures = 0; ;) {
        await this.#pause(job);
        if (phases.hard.aborted) return { verdict: 'aborted', error: phases.hard.reason, left: entries };
        try {
          const missing = await this.#send(jobId, job, entries);
          job.refused.delete(token);
          if (missing.length === 0) return { verdict: 'accepted', left: [] };
          entries = missing;
          failures = 0;
        } catch (error) {
          const verdict = judgePost(error, phases.hard);
          if (verdict === 'hold') job.refused.add(token);
          else job.refused.delete(token);
          if (verdict !== 'retry' && verdict !== 'hold') return { verdict, error, left: entries };
          failures += 1;
          this.#failed(jobId, job, entries.length, { verdict, error, failures });
        }
      }
    } finally {
      job.open.delete(token);
      job.refused.delete(token);
      if (job.open.size === 0) this.#jobs.delete(jobId);
      if (job.refused.size === 0) this.#refused.delete(jobId);
    }
  }

  #open(jobId: number, token: object): JobPosts {
    let job = this.#jobs.get(jobId);
    if (!job) this.#jobs.set(jobId, (job = new JobPosts()));
    job.open.add(token);
    return job;
  }

  /** @returns the entries that the server did not queue, if it queued some. */
  async #send(
    jobId: number,
    job: JobPosts,
    entries: readonly OutboxEntry[],
  ): Promise<readonly OutboxEntry[]> {
    const { clock, client, phases, troubles } = this.#context;
    const subject = String(jobId);
    const release = await this.#slots.take({
      rank: entries[0]?.item.leasedAt.monotonicMs ?? 0,
      isSuspect: () => troubles.isSuspect('post', subject),
    });
    const sent = { atMs: clock.now() };
    job.sent.add(sent);
    try {
      const results = entries.map(({ outcome, item }) => addressOutcome(outcome, item.replySubject));
      const answer = await client.results.submit(jobId, results, { signal: phases.hard, retries: 0 });
      const durationMs = clock.now() - sent.atMs;
      publishSpan('post', () => ({ jobId, tasks: entries.length, durationMs }));
      if (answer.results_queued >= entries.length) {
        this.#worked(jobId, job);
        this.#onAccepted(entries, durationMs);
        return [];
      }
      const queued = new Set(answer.tasks.map(({ reply_subject }) => reply_subject));
      const missing = entries.filter((_entry, index) => !queued.has(results[index]?.replySubject ?? ''));
      if (answer.results_queued === 0 || missing.length === entries.length) {
        const message = `the server queued ${answer.results_queued} of ${entries.length} results and did not say which; posting them again`;
        throw new AntennaError({ code: 'nothing_queued', message });
      }
      this.#worked(jobId, job);
      this.#onAccepted(
        entries.filter((entry) => !missing.includes(entry)),
        durationMs,
      );
      return missing;
    } finally {
      job.sent.delete(sent);
      release();
    }
  }

  #worked(jobId: number, job: JobPosts): void {
    job.pauseUntil = 0;
    this.#pauseUntil = 0;
    this.#refused.clear();
    this.#proven.set(jobId, true);
    this.#context.troubles.worked('post', String(jobId), this.#context.clock.now());
  }

  #failed(
    jobId: number,
    job: JobPosts,
    count: number,
    failure: { verdict: 'retry' | 'hold'; error: unknown; failures: number },
  ): void {
    const { clock, options, bus, phases, logger, leases, troubles } = this.#context;
    const { verdict, error, failures } = failure;
    const nowMs = clock.now();
    const askedMs = askedWaitMs(error);
    const ownMs =
      verdict === 'hold'
        ? holdBackoffMs(failures, leases.lengthMs)
        : postBackoffMs(failures, options.random(), askedMs, postBackoffCapMs(leases.lengthMs));
    // While the worker ends, a long backoff would be the end: rather a few tries too many.
    const delayMs = phases.drain.aborted ? Math.min(ownMs, Math.max(HASTE_MS, askedMs)) : ownMs;
    job.pauseUntil = Math.max(job.pauseUntil, nowMs + delayMs);
    if (verdict === 'hold') this.#refused.add(jobId);
    if (askedMs > 0) this.#pauseUntil = Math.max(this.#pauseUntil, nowMs + askedMs);
    const reason = error instanceof AntennaError ? error.code : 'error';
    const detail = error instanceof PermissionDeniedError ? 'permission denied' : reason;
    troubles.failed('post', String(jobId), nowMs, { detail });
    bus.emit('post_retry', { jobId, count, delayMs, reason });
    logger.warn(
      { job: jobId, count, delayMs, error },
      'posting results failed; they are kept and posted again',
    );
  }

  /** Waits until the job's posts may go out; the beginning of the end cuts a long wait short. */
  async #pause(job: JobPosts): Promise<void> {
    const { clock, phases } = this.#context;
    for (let waitMs = this.#waitMs(job); waitMs > 0; waitMs = this.#waitMs(job)) {
      if (phases.drain.aborted) await sleep(clock, waitMs, phases.hard).catch(() => undefined);
      else {
        await sleep(clock, waitMs, phases.drain).catch(() => {
          job.pauseUntil = Math.min(job.pauseUntil, clock.now());
          this.#pauseUntil = clock.now();
        });
      }
    }
  }

  #waitMs({ pauseUntil }: JobPosts): number {
    const { clock, phases } = this.#context;
    return phases.hard.aborted ? 0 : Math.max(pauseUntil, this.#pauseUntil) - clock.now();
  }
}
