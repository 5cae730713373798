import type { Job } from '../../contract/jobs.js';
import { NotFoundError } from '../../errors/api.js';
import { sleep } from '../../time/clock.js';
import { askedWaitMs, judgePost } from '../outbox/post-verdict.js';
import { holdBackoffMs, postBackoffCapMs, postBackoffMs } from '../policy/backoff.js';
import { halve } from '../outbox/job-queue.js';
import { addressOutcome } from '../task/outcome.js';
import type { RunContext } from '../run/context.js';
import { decideReplay, onServerClock } from './replay-decision.js';
import { BAD_FOLDER, DEAD_FOLDER, type Spool } from './spool.js';
import type { SpooledPost, SpooledResult } from './format.js';

/** What replaying a spool needs of a run. */
export type ReplayPort = Pick<
  RunContext,
  'options' | 'client' | 'clock' | 'logger' | 'bus' | 'tally' | 'leases' | 'phases' | 'note'
>;

/** Files dealt with side by side. */
const PARALLEL = 4;

/** A file that is to be posted. */
interface Left {
  readonly name: string;
  /** Known once it has been read. */
  jobId: number | undefined;
}

/** A job whose files could not be posted for a passing reason. */
interface Waiting {
  failures: number;
  /** On the monotonic clock. */
  notBefore: number;
}

/**
 * Posts what an earlier process left, the oldest first. A file that cannot be posted is set aside, and a job whose posts fail or hang is
 * tried again by itself: it once kept a worker that had been killed from ever starting again, since all of its files were waited for.
 */
export class Replay {
  readonly #context: ReplayPort;
  readonly #spool: Spool;
  readonly #maxAgeMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #left: Left[] = [];
  #busy = 0;

  constructor(context: ReplayPort, spool: Spool, maxAgeMs: number) {
    this.#context = context;
    this.#spool = spool;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Files that are not dealt with yet. */
  get pending(): number {
    return this.#left.length + this.#busy;
  }

  /** @param names - files, the oldest first. Never throws; ends early when the run does, and leaves the rest for the next start. */
  async run(names: readonly string[]): Promise<void> {
    this.#left = names.map((name) => ({ name, jobId: undefined }));
    await Promise.all(Array.from({ length: PARALLEL }, () => this.#lane()));
  }

  async #lane(): Promise<void> {
    const { phases, clock, note } = this.#context;
    while (!phases.drain.aborted && this.#left.length > 0) {
      const next = this.#next();
      if (!next) {
        await sleep(clock, this.#waitMs(), phases.drain).catch(() => undefined);
        continue;
      }
      this.#busy += 1;
      try {
        if ((await this.#file(next)) === 'later') this.#left.unshift(next);
      } catch (error) {
        note(error, 'posting results of an earlier run');
      } finally {
        this.#busy -= 1;
      }
    }
  }

  /** The oldest file whose job does not wait for its next try. */
  #next(): Left | undefined {
    const nowMs = this.#context.clock.now();
    const index = this.#left.findIndex(({ jobId }) => !this.#isWaiting(jobId, nowMs));
    return index < 0 ? undefined : this.#left.splice(index, 1)[0];
  }

  #isWaiting(jobId: number | undefined, nowMs: number): boolean {
    return jobId !== undefined && (this.#waiting.get(jobId)?.notBefore ?? 0) > nowMs;
  }

  #waitMs(): number {
    const nowMs = this.#context.clock.now();
    const times = [...this.#waiting.values()].map(({ notBefore }) => notBefore);
    return Math.max(1, Math.min(...times) - nowMs);
  }

  /** @returns `later` when its job is to be tried again. */
  async #file(left: Left): Promise<'later' | undefined> {
    const { name } = left;
    const decoded = await this.#spool.read(name);
    const { client, bus } = this.#context;
    if (decoded.kind === 'unknown-version') {
      const message =
        'results of another version of the package stay on disk; run that version once to post them';
      client.logger.error({ reason: name }, message);
      bus.emit('replayed', { jobId: 0, count: 0, outcome: `unknown version ${decoded.version}` });
      return undefined;
    }
    if (decoded.kind === 'bad') {
      client.logger.error({ reason: `${name}: ${decoded.reason}` }, 'a spool file cannot be read');
      await this.#spool.setAside(name, BAD_FOLDER);
      bus.emit('replayed', { jobId: 0, count: 0, outcome: decoded.reason });
      return undefined;
    }
    left.jobId = decoded.post.jobId;
    // Another of its files failed while this one was read, or before anybody knew whose it is.
    if (this.#isWaiting(left.jobId, this.#context.clock.now())) return 'later';
    const done = await this.#post(name, decoded.post);
    if (done) this.#waiting.delete(left.jobId);
    return done ? undefined : 'later';
  }

  /** @returns whether the file is dealt with; false when its job is to be tried again. */
  async #post(name: string, post: SpooledPost): Promise<boolean> {
    const { bus, clock, client, logger, tally } = this.#context;
    const { jobId } = post;
    const job = await this.#job(jobId);
    if (job === 'later') return false;
    // The answer about the job has told the server's time.
    const times = onServerClock(post, { nowMs: clock.wallNow(), clockOffsetMs: client.clockOffsetMs });
    const decision = decideReplay({ job, ...times, maxAgeMs: this.#maxAgeMs });
    if (!decision.post) {
      logger.warn(
        { job: jobId, count: post.results.length, reason: decision.reason },
        'results of an earlier run are not posted',
      );
      await this.#spool.setAside(name, DEAD_FOLDER);
      bus.emit('replayed', { jobId, count: post.results.length, outcome: decision.reason });
      return true;
    }
    const accepted = await this.#send(jobId, post.results);
    if (accepted === undefined) return false;
    tally.replayed(accepted);
    if (accepted === post.results.length) await this.#spool.remove(name);
    else await this.#spool.setAside(name, DEAD_FOLDER);
    bus.emit('replayed', { jobId, count: accepted, outcome: 'posted' });
    return true;
  }

  /** Undefined when the job is gone. */
  async #job(jobId: number): Promise<Job | 'later' | undefined> {
    const { client, phases } = this.#context;
    return this.#unlessFailing(jobId, async () => {
      try {
        return await client.jobs.get(jobId, { signal: phases.drain });
      } catch (error) {
        if (error instanceof NotFoundError && error.body !== undefined) return undefined;
        throw error;
      }
    });
  }

  /** @returns how many were accepted; undefined when the job is to be tried again. */
  async #send(jobId: number, results: readonly SpooledResult[]): Promise<number | undefined> {
    const { client, phases } = this.#context;
    const encoded = results.map(({ outcome, replySubject }) => addressOutcome(outcome, replySubject));
    const verdict = await this.#unlessFailing(jobId, async () => {
      try {
        await client.results.submit(jobId, encoded, { signal: phases.drain, retries: 0 });
        return 'accepted';
      } catch (error) {
        const judged = judgePost(error, phases.drain);
        if (judged === 'retry' || judged === 'hold' || judged === 'aborted') throw error;
        return judged;
      }
    });
    if (verdict === 'later') return undefined;
    if (verdict === 'accepted') return results.length;
    if (verdict === 'gone' || results.length === 1) return 0;
    let accepted = 0;
    for (const half of halve(results)) {
      const part = await this.#send(jobId, half);
      if (part === undefined) return undefined;
      accepted += part;
    }
    return accepted;
  }

  /** @returns `later` after a failure that may pass; the job's files wait until then. */
  async #unlessFailing<Answer>(jobId: number, attempt: () => Promise<Answer>): Promise<Answer | 'later'> {
    const { phases, options, clock, note, leases } = this.#context;
    try {
      return await attempt();
    } catch (error) {
      if (phases.drain.aborted) return 'later';
      note(error, 'posting results of an earlier run', jobId);
      const failures = (this.#waiting.get(jobId)?.failures ?? 0) + 1;
      const refused = judgePost(error, phases.drain) === 'hold';
      const delayMs = refused
        ? holdBackoffMs(failures)
        : postBackoffMs(failures, options.random(), askedWaitMs(error), postBackoffCapMs(leases.lengthMs));
      this.#waiting.set(jobId, { failures, notBefore: clock.now() + Math.max(1, delayMs) });
      return 'later';
    }
  }
}
