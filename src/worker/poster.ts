import type { AntennaClient } from '../client.js';
import { AntennaAbortError } from '../errors/abort.js';
import { AntennaApiError } from '../errors/api.js';
import { AntennaError } from '../errors/base.js';
import { OriginGateError } from '../errors/gate.js';
import { BadRequestError, NotFoundError, PayloadTooLargeError } from '../errors/status.js';
import { sleep } from '../time/clock.js';
import type { WorkerEventBus } from './events.js';
import { errorOutcome, type Outcome } from './outcome.js';
import { halve, pack } from './packing.js';

/** Ceiling of the wait between two tries of the same post (WORKER §3.5). */
const MAX_BACKOFF_MS = 30_000;
const BASE_BACKOFF_MS = 500;

/** What became of a list of outcomes. Their sum is the list. */
export interface PostReport {
  readonly posted: Outcome[];
  /** The job is gone, or the server refuses even the error result: posting again cannot help. */
  readonly dropped: Outcome[];
  /** Not posted when the worker had to end. */
  readonly unposted: Outcome[];
}

/** Delivers outcomes, and does not give up on a computed result while the worker may run: late results still count. */
export class ResultPoster {
  readonly #client: AntennaClient;
  readonly #bus: WorkerEventBus;
  readonly #random: () => number;

  constructor(client: AntennaClient, bus: WorkerEventBus, random: () => number = Math.random) {
    this.#client = client;
    this.#bus = bus;
    this.#random = random;
  }

  /**
   * Posts outcomes of one job. Never throws.
   * @param signal - ends the trying; what is left then is reported as unposted.
   */
  async post(jobId: number, outcomes: readonly Outcome[], signal: AbortSignal): Promise<PostReport> {
    const report: PostReport = { posted: [], dropped: [], unposted: [] };
    const queue = pack(outcomes);
    let failures = 0;
    for (let chunk = queue.shift(); chunk; chunk = queue.shift()) {
      if (signal.aborted) {
        report.unposted.push(...chunk);
        continue;
      }
      try {
        const missing = await this.#submit(jobId, chunk, signal);
        const accepted = chunk.filter((outcome) => !missing.includes(outcome));
        report.posted.push(...accepted);
        this.#bus.emit('posted', {
          jobId,
          count: accepted.length,
          imageIds: accepted.map(({ imageId }) => imageId),
        });
        failures = 0;
        if (missing.length > 0) queue.unshift(missing);
      } catch (error) {
        const next = this.#afterRefusal(error, chunk, report);
        if (next) queue.unshift(...next);
        else {
          queue.unshift(chunk);
          this.#bus.emit('error', { error, doing: 'posting results', jobId });
          await this.#backoff(error, failures++, signal);
        }
      }
    }
    return report;
  }

  /** @returns the outcomes that the server did not queue, if it queued some. */
  async #submit(jobId: number, chunk: readonly Outcome[], signal: AbortSignal): Promise<Outcome[]> {
    const answer = await this.#client.results.submit(
      jobId,
      chunk.map(({ encoded }) => encoded),
      { signal },
    );
    if (answer.results_queued >= chunk.length) return [];
    if (answer.results_queued === 0) {
      const message = `the server queued none of ${chunk.length} results; they will be posted again`;
      throw new AntennaError({ code: 'nothing_queued', message });
    }
    const queued = new Set(answer.tasks.map(({ reply_subject }) => reply_subject));
    const missing = chunk.filter(({ replySubject }) => !queued.has(replySubject));
    return missing.length < chunk.length ? missing : [];
  }

  /** What to post instead after a refusal that repeating cannot mend; undefined when repeating can. */
  #afterRefusal(error: unknown, chunk: readonly Outcome[], report: PostReport): Outcome[][] | undefined {
    if (error instanceof NotFoundError) {
      report.dropped.push(...chunk);
      return [];
    }
    const tooLarge = error instanceof PayloadTooLargeError;
    // One malformed item makes the server refuse the whole post (trap T33): find it by halving.
    if (!tooLarge && !(error instanceof BadRequestError)) return undefined;
    const [only] = chunk;
    if (chunk.length > 1 || only === undefined) return halve(chunk);
    if (only.kind === 'error') {
      report.dropped.push(only);
      return [];
    }
    this.#bus.emit('error', { error, doing: 'posting a result; its image will be reported as failed' });
    const size = only.encoded.bytes.length;
    const text = tooLarge
      ? `result too large: ${size} bytes`
      : `result refused by the server: ${error.detail}`;
    return [[errorOutcome({ image_id: only.imageId, reply_subject: only.replySubject }, text)]];
  }

  async #backoff(error: unknown, failures: number, signal: AbortSignal): Promise<void> {
    if (error instanceof AntennaAbortError && signal.aborted) return;
    const asked =
      error instanceof AntennaApiError || error instanceof OriginGateError ? (error.retryAfterMs ?? 0) : 0;
    const jittered = this.#random() * Math.min(MAX_BACKOFF_MS, BASE_BACKOFF_MS * 2 ** Math.min(failures, 10));
    await sleep(this.#client.clock, Math.max(asked, jittered), signal).catch(() => undefined);
  }
}
