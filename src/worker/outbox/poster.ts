import { AntennaError } from '../../errors/base.js';
import { sleep } from '../../time/clock.js';
import { addressOutcome } from '../outcome.js';
import type { RunContext } from '../runtime/context.js';
import { publishSpan } from '../stages/spans.js';
import { holdBackoffMs, postBackoffCapMs, postBackoffMs } from './backoff.js';
import type { OutboxEntry } from './entry.js';
import { askedWaitMs, judgePost, type PostVerdict } from './post-verdict.js';

/** Longest backoff while the worker is ending. */
const HASTE_MS = 1_000;

/** How posting some entries ended, when it is not to be repeated. */
export type PostEnd =
  | { readonly verdict: 'accepted' }
  | { readonly verdict: Exclude<PostVerdict, 'retry' | 'hold'>; readonly error: unknown };

/** Sends posts and repeats them for as long as that can help: late results still count (WORKER §1). */
export class Poster {
  readonly #context: RunContext;
  readonly #onAccepted: (entries: readonly OutboxEntry[], durationMs: number) => void;
  /** Posts that the server refuses for our credential. */
  readonly #refused = new Set<object>();
  /** After a failure that concerns the server and not the post, all posts wait. */
  #pauseUntil = 0;

  constructor(
    context: RunContext,
    onAccepted: (entries: readonly OutboxEntry[], durationMs: number) => void,
  ) {
    this.#context = context;
    this.#onAccepted = onAccepted;
  }

  /** True while the server does not accept our credential: nothing should be reserved. */
  get isHeld(): boolean {
    return this.#refused.size > 0;
  }

  /** Posts entries of one job until they are accepted, refused for good, or the run ends. Never throws. */
  async post(
    jobId: number,
    given: readonly OutboxEntry[],
  ): Promise<PostEnd & { readonly left: readonly OutboxEntry[] }> {
    const { phases } = this.#context;
    const token = {};
    let entries = given;
    for (let failures = 0; ;) {
      await this.#pause();
      if (phases.hard.aborted) return { verdict: 'aborted', error: phases.hard.reason, left: entries };
      try {
        const missing = await this.#send(jobId, entries);
        this.#refused.delete(token);
        if (missing.length === 0) return { verdict: 'accepted', left: [] };
        entries = missing;
        failures = 0;
      } catch (error) {
        const verdict = judgePost(error, phases.hard);
        if (verdict === 'hold') this.#refused.add(token);
        else this.#refused.delete(token);
        if (verdict !== 'retry' && verdict !== 'hold') return { verdict, error, left: entries };
        failures += 1;
        await this.#wait(jobId, entries.length, { verdict, error, failures });
      }
    }
  }

  /** @returns the entries that the server did not queue, if it queued some. */
  async #send(jobId: number, entries: readonly OutboxEntry[]): Promise<readonly OutboxEntry[]> {
    const { client, clock, phases } = this.#context;
    const startedAt = clock.now();
    const results = entries.map(({ outcome, item }) => addressOutcome(outcome, item.replySubject));
    const answer = await client.results.submit(jobId, results, { signal: phases.hard, retries: 0 });
    const durationMs = clock.now() - startedAt;
    publishSpan('post', () => ({ jobId, tasks: entries.length, durationMs }));
    this.#pauseUntil = 0;
    if (answer.results_queued >= entries.length) {
      this.#onAccepted(entries, durationMs);
      return [];
    }
    const queued = new Set(answer.tasks.map(({ reply_subject }) => reply_subject));
    const missing = entries.filter((_entry, index) => !queued.has(results[index]?.replySubject ?? ''));
    if (answer.results_queued === 0 || missing.length === entries.length) {
      const message = `the server queued ${answer.results_queued} of ${entries.length} results and did not say which; posting them again`;
      throw new AntennaError({ code: 'nothing_queued', message });
    }
    this.#onAccepted(
      entries.filter((entry) => !missing.includes(entry)),
      durationMs,
    );
    return missing;
  }

  async #wait(
    jobId: number,
    count: number,
    failure: { verdict: 'retry' | 'hold'; error: unknown; failures: number },
  ): Promise<void> {
    const { clock, options, bus, phases, client, leases } = this.#context;
    const { verdict, error, failures } = failure;
    const random = options.random();
    const ownMs =
      verdict === 'hold'
        ? holdBackoffMs(failures)
        : postBackoffMs(failures, random, askedWaitMs(error), postBackoffCapMs(leases.lengthMs));
    // While the worker ends, a long backoff would be the end: rather a few tries too many.
    const delayMs = phases.drain.aborted ? Math.min(ownMs, Math.max(HASTE_MS, askedWaitMs(error))) : ownMs;
    this.#pauseUntil = Math.max(this.#pauseUntil, clock.now() + delayMs);
    const reason = error instanceof AntennaError ? error.code : 'error';
    bus.emit('post_retry', { jobId, count, delayMs, reason });
    client.logger.warn(
      { job: jobId, count, delayMs, error },
      'posting results failed; they are kept and posted again',
    );
  }

  /** Waits until posts may go out; the beginning of the end cuts a long wait short. */
  async #pause(): Promise<void> {
    const { clock, phases } = this.#context;
    for (let waitMs = this.#waitMs(); waitMs > 0; waitMs = this.#waitMs()) {
      if (phases.drain.aborted) await sleep(clock, waitMs, phases.hard).catch(() => undefined);
      else {
        await sleep(clock, waitMs, phases.drain).catch(() => {
          this.#pauseUntil = clock.now();
        });
      }
    }
  }

  #waitMs(): number {
    const { clock, phases } = this.#context;
    return phases.hard.aborted ? 0 : this.#pauseUntil - clock.now();
  }
}
