import type { Logger } from '../log/logger.js';
import type { TransportResponse } from '../http/transport.js';
import { EXECUTOR_DEFAULTS } from '../worker/executors/defaults.js';
import type { BatchContext, BatchOutcome } from '../worker/executors/executor.js';
import { HandlerCrashError, HandlerTimeoutError } from '../worker/executors/execution-errors.js';
import type { TaskImage } from '../worker/handler/handler.js';
import { judgeAnswer } from './answers.js';
import type { BatchPolicy } from './batch-policy.js';
import { NoAnswerError } from './connection.js';
import { BRIDGE_DEFAULTS } from './defaults.js';
import { failureError, PushContractError } from './errors.js';
import { processBody } from './request.js';
import type { ServiceLink } from './service-link.js';
import { splitAnswer, type AnswerOptions, type Dropped } from './split.js';

/** Times that a service may be ready and refuse the connection of the call that follows. */
const MAX_REFUSALS = 3;

/** How one pipeline of a service is called. */
export interface CallOptions {
  readonly slug: string;
  readonly link: ServiceLink;
  readonly policy: BatchPolicy;
  readonly logger: Logger;
  readonly images: 'loopback' | 'url';
  /** The user's configuration; a task's own goes before it. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number | undefined;
  readonly restartTimeoutMs: number | undefined;
  readonly detector: () => { readonly name: string; readonly key: string };
  /** What its answers may name. */
  readonly answer: () => Omit<AnswerOptions, 'hadBoxes'>;
}

/** The calls of one pipeline: request, answer, and what a failure means. */
export class BridgeCall {
  readonly slug: string;
  readonly link: ServiceLink;
  readonly policy: BatchPolicy;
  readonly #options: CallOptions;
  /** Whether the service has ever fetched an image from here. */
  #reachesUs = false;

  constructor(options: CallOptions) {
    this.#options = options;
    this.slug = options.slug;
    this.link = options.link;
    this.policy = options.policy;
  }

  hasBoxes(image: TaskImage): boolean {
    return image.detections.length > 0;
  }

  /**
   * Calls the service with images of one configuration.
   * @returns an outcome an image id.
   * @throws PushFailureError, PushRetryableError, OutOfMemoryTaskError, HandlerTimeoutError, HandlerCrashError for a call that failed;
   * HandlerUnavailableError when the service is away or does not fit; the signal's reason.
   */
  async post(
    images: readonly TaskImage[],
    context: BatchContext,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, BatchOutcome>> {
    const { link, slug } = this;
    await this.#ready(signal);
    const served = this.#options.images === 'loopback' ? await link.images.serve(images) : undefined;
    try {
      const body = processBody(slug, images, {
        config: { ...this.#options.config, ...context.config },
        detector: this.#options.detector(),
        urlOf: served ? (image) => served.urlOf(image) : ({ url }) => url,
      });
      const answer = await this.#send(body, context, signal);
      if (served && served.fetched > 0) this.#reachesUs = true;
      return await this.#judge(answer, images, signal, served !== undefined && served.fetched === 0);
    } finally {
      served?.close();
    }
  }

  #ready(signal: AbortSignal): Promise<void> {
    const limitMs = this.#options.restartTimeoutMs ?? BRIDGE_DEFAULTS.restartTimeoutMs;
    return this.link.ready(this.slug, limitMs, signal);
  }

  async #send(body: string, context: BatchContext, signal: AbortSignal): Promise<TransportResponse> {
    const { link } = this;
    const timeoutMs = this.#options.timeoutMs ?? context.timeoutMs ?? EXECUTOR_DEFAULTS.timeoutMs;
    for (let tries = 1; ; tries++) {
      const fresh = link.calls === 0;
      try {
        return await link.connection.process(body, timeoutMs, signal);
      } catch (error) {
        if (!(error instanceof NoAnswerError)) throw error;
        link.lost(`a call got no answer: ${error.message}`, error.timedOut);
        if (error.timedOut) throw new HandlerTimeoutError(timeoutMs);
        // A service that was away before the call says nothing against the batch: it is sent again as it is.
        if (!error.refused || tries >= MAX_REFUSALS)
          throw new HandlerCrashError(`the push service broke off: ${error.message}`, { fresh });
        await this.#ready(signal);
      }
    }
  }

  async #judge(
    answer: TransportResponse,
    images: readonly TaskImage[],
    signal: AbortSignal,
    unfetched: boolean,
  ): Promise<ReadonlyMap<string, BatchOutcome>> {
    const { link } = this;
    const verdict = judgeAnswer(answer);
    if (verdict.kind === 'mismatch') throw this.#mismatch(verdict.reason);
    if (verdict.kind === 'failed') {
      if (unfetched && !this.#reachesUs && !verdict.passing)
        throw this.#mismatch(
          `it failed without fetching an image from 127.0.0.1 (${verdict.text}). If it runs in a container or on another machine, set images: 'url'`,
        );
      // A gateway answers for a service that is away; what it says of this call it would say of the next.
      if (verdict.passing) link.lost(verdict.text, false);
      throw failureError(verdict.text, verdict.passing);
    }
    const ids = images.map(({ id }) => id);
    const hadBoxes = images.some((image) => this.hasBoxes(image));
    const take = (): ReturnType<typeof splitAnswer> =>
      splitAnswer(verdict.body, ids, { ...this.#options.answer(), hadBoxes });
    let split = take();
    // A newer service under the same address is read and registered before its first answer is used.
    if (split.kind === 'unknown-algorithm' && (await link.refresh(signal))) split = take();
    if (split.kind === 'unknown-algorithm')
      throw this.#mismatch(`it answers with the algorithm "${split.key}", which its /info does not name`);
    if (split.kind === 'mismatch') throw this.#mismatch(split.reason);
    this.#tell(split.dropped);
    return this.#withConfig(split.outcomes, images);
  }

  /** The worker tells in a result what the task was sent with; what the user added to it is known here alone. */
  #withConfig(
    outcomes: ReadonlyMap<string, BatchOutcome>,
    images: readonly TaskImage[],
  ): ReadonlyMap<string, BatchOutcome> {
    const { config } = this.#options;
    if (Object.keys(config).length === 0) return outcomes;
    const told = new Map(outcomes);
    for (const { id, task } of images) {
      const outcome = told.get(id);
      if (outcome?.ok)
        told.set(id, { ok: true, result: { ...outcome.result, config: { ...config, ...task.config } } });
    }
    return told;
  }

  #mismatch(reason: string): PushContractError {
    const { link, slug } = this;
    const text = `the service at ${link.connection.place} does not fit the pipeline ${slug}: ${reason}`;
    link.stop(slug, text);
    return new PushContractError(text);
  }

  #tell(dropped: Dropped): void {
    for (const [reason, count] of Object.entries(dropped) as [keyof Dropped, number][])
      if (count > 0)
        this.#options.logger.warn(
          { pipeline: this.slug, count, reason },
          'left out of the answer of a push service',
        );
  }
}
