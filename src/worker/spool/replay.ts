import type { Job } from '../../contract/jobs.js';
import { NotFoundError } from '../../errors/status.js';
import { sleep } from '../../time/clock.js';
import { askedWaitMs, judgePost } from '../outbox/post-verdict.js';
import { holdBackoffMs, postBackoffMs } from '../outbox/backoff.js';
import { halve } from '../outbox/packer.js';
import { addressOutcome } from '../outcome.js';
import type { RunContext } from '../runtime/context.js';
import { decideReplay, onServerClock } from './replay-decision.js';
import { BAD_FOLDER, DEAD_FOLDER, type Spool } from './spool.js';
import type { SpooledPost, SpooledResult } from './format.js';

/** Files dealt with side by side. */
const PARALLEL = 2;

/**
 * Posts what an earlier process left, before the first reservation, the oldest first. A file that cannot be posted is set aside and
 * holds up no other; a server that does not answer is waited for.
 */
export class Replay {
  readonly #context: RunContext;
  readonly #spool: Spool;
  readonly #maxAgeMs: number;

  constructor(context: RunContext, spool: Spool, maxAgeMs: number) {
    this.#context = context;
    this.#spool = spool;
    this.#maxAgeMs = maxAgeMs;
  }

  /** @param names - files, the oldest first. Never throws; ends early when the run does, and leaves the rest for the next start. */
  async run(names: readonly string[]): Promise<void> {
    const waiting = [...names];
    const lane = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        if (this.#context.phases.drain.aborted) return;
        try {
          await this.#file(name);
        } catch (error) {
          this.#context.note(error, 'posting results of an earlier run');
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, lane));
  }

  async #file(name: string): Promise<void> {
    const decoded = await this.#spool.read(name);
    const { client, bus } = this.#context;
    if (decoded.kind === 'unknown-version') {
      const message =
        'results of another version of the package stay on disk; run that version once to post them';
      client.logger.error({ reason: name }, message);
      bus.emit('replayed', { jobId: 0, count: 0, outcome: `unknown version ${decoded.version}` });
      return;
    }
    if (decoded.kind === 'bad') {
      client.logger.error({ reason: `${name}: ${decoded.reason}` }, 'a spool file cannot be read');
      await this.#spool.setAside(name, BAD_FOLDER);
      bus.emit('replayed', { jobId: 0, count: 0, outcome: decoded.reason });
      return;
    }
    await this.#post(name, decoded.post);
  }

  async #post(name: string, post: SpooledPost): Promise<void> {
    const { bus, clock, client, tally } = this.#context;
    const { jobId } = post;
    const job = await this.#job(jobId);
    if (job === 'ending') return;
    // The answer about the job has told the server's time.
    const times = onServerClock(post, { nowMs: clock.wallNow(), clockOffsetMs: client.clockOffsetMs });
    const decision = decideReplay({ job, ...times, maxAgeMs: this.#maxAgeMs });
    if (!decision.post) {
      client.logger.warn(
        { job: jobId, count: post.results.length, reason: decision.reason },
        'results of an earlier run are not posted',
      );
      await this.#spool.setAside(name, DEAD_FOLDER);
      bus.emit('replayed', { jobId, count: post.results.length, outcome: decision.reason });
      return;
    }
    const accepted = await this.#send(jobId, post.results);
    if (accepted === undefined) return;
    tally.replayed(accepted);
    if (accepted === post.results.length) await this.#spool.remove(name);
    else await this.#spool.setAside(name, DEAD_FOLDER);
    bus.emit('replayed', { jobId, count: accepted, outcome: 'posted' });
  }

  /** Undefined when the job is gone. */
  async #job(jobId: number): Promise<Job | 'ending' | undefined> {
    const { client, phases } = this.#context;
    return this.#untilAnswered(async () => {
      try {
        return await client.jobs.get(jobId, { signal: phases.drain });
      } catch (error) {
        if (error instanceof NotFoundError && error.body !== undefined) return undefined;
        throw error;
      }
    });
  }

  /** @returns how many were accepted; undefined when the run ended first. */
  async #send(jobId: number, results: readonly SpooledResult[]): Promise<number | undefined> {
    const { client, phases } = this.#context;
    const encoded = results.map(({ outcome, replySubject }) => addressOutcome(outcome, replySubject));
    const verdict = await this.#untilAnswered(async () => {
      try {
        await client.results.submit(jobId, encoded, { signal: phases.drain, retries: 0 });
        return 'accepted';
      } catch (error) {
        const judged = judgePost(error, phases.drain);
        if (judged === 'retry' || judged === 'hold' || judged === 'aborted') throw error;
        return judged;
      }
    });
    if (verdict === 'ending') return undefined;
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

  async #untilAnswered<Answer>(attempt: () => Promise<Answer>): Promise<Answer | 'ending'> {
    const { phases, options, clock, note } = this.#context;
    for (let failures = 1; ; failures++) {
      if (phases.drain.aborted) return 'ending';
      try {
        return await attempt();
      } catch (error) {
        note(error, 'posting results of an earlier run');
        const refused = judgePost(error, phases.drain) === 'hold';
        const delayMs = refused
          ? holdBackoffMs(failures)
          : postBackoffMs(failures, options.random(), askedWaitMs(error));
        await sleep(clock, delayMs, phases.drain).catch(() => undefined);
      }
    }
  }
}
