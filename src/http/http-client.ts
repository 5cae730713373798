import pRetry from 'p-retry';
import { AntennaAbortError, OriginGateError } from '../errors/connection.js';
import { AntennaError } from '../errors/base.js';
import { AuthenticationError } from '../errors/api.js';
import { sleep } from '../time/clock.js';
import { Call } from './call.js';
import { publish } from './diagnostics.js';
import { OriginGate } from './gate.js';
import type { HttpClientOptions } from './http-options.js';
import type { Operation, OperationInput, RequestOptions } from './operation.js';
import { argumentsError } from './request-parts.js';
import { RetryBudget } from './retry-budget.js';
import { backoffMs, decideRetry, type Failure } from './retry-policy.js';

/** The one path that every request takes. */
export class HttpClient {
  readonly options: HttpClientOptions;
  readonly #gate: OriginGate;
  readonly #budget = new RetryBudget();
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(options: HttpClientOptions) {
    this.options = options;
    this.#gate = new OriginGate(options.clock);
  }

  /** What holds requests back at this moment. */
  get pressure(): { readonly gateClosedForMs: number; readonly retriesLeft: number } {
    return { gateClosedForMs: this.#gate.closedForMs(), retriesLeft: this.#budget.left };
  }

  /**
   * Sends a request and checks its answer.
   * @throws AntennaError of the kind that fits; nothing else, unless the arguments are unusable.
   */
  request<Result>(
    operation: Operation<Result>,
    input: OperationInput = {},
    options: RequestOptions = {},
  ): Promise<Result> {
    const wrong = argumentsError(input, options);
    if (wrong) return Promise.reject(wrong);
    const { cache } = this.options;
    if (cache === undefined || this.#closing || cache.ttlMs(operation, options) === 0)
      return this.#track(this.#request(operation, input, options));
    return cache.request(operation, input, options, (signed, own) =>
      this.#track(this.#request(operation, signed, own)),
    );
  }

  /** Has `close()` wait for it. */
  #track<Result>(work: Promise<Result>): Promise<Result> {
    const tracked = work.then(
      () => undefined,
      () => undefined,
    );
    this.#running.add(tracked);
    void tracked.then(() => this.#running.delete(tracked));
    return work;
  }

  /** Refuses new calls, waits for the running ones, then closes the connections. May be called again. */
  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#running).then(() => this.options.transport.close());
    return this.#closing;
  }

  async #request<Result>(
    operation: Operation<Result>,
    input: OperationInput,
    options: RequestOptions,
  ): Promise<Result> {
    if (this.#closing) {
      throw new AntennaAbortError({ message: 'The client is closed; create a new one', delivered: 'no' });
    }
    const call = new Call(this.options, operation, input, options);
    publish('start', () => call.event());
    this.#budget.onRequest();
    try {
      const result = await pRetry(() => this.#attempt(call), {
        ...RETRY_LOOP,
        onFailedAttempt: ({ error }) => this.#afterFailure(call, error),
      });
      this.#gate.answered();
      publish('end', () => call.event());
      return result;
    } catch (error) {
      publish('error', () => call.event({ code: error instanceof AntennaError ? error.code : 'internal' }));
      if (error instanceof AuthenticationError) this.options.cache?.refused(call.credential);
      throw error;
    } finally {
      this.options.cache?.sent(operation.id, call.credential);
    }
  }

  async #attempt<Result>(call: Call<Result>): Promise<Result> {
    // What ends this attempt before it is sent is no reason for another, whatever became of the one before it.
    call.lastFailure = undefined;
    await abortable(call, (signal) =>
      this.#gate.pass(
        signal,
        (waitMs) => {
          if (waitMs < call.remainingMs()) return;
          const { method, path, delivered } = call;
          throw new OriginGateError({ method, path, delivered, retryAfterMs: waitMs });
        },
        call.path,
      ),
    );
    return call.attempt(() => this.#budget.take());
  }

  /** Returns after the backoff if another attempt shall follow, else throws the error. */
  async #afterFailure(call: Call<unknown>, error: Error): Promise<void> {
    const failure = call.lastFailure;
    if (failure === undefined) throw error;
    const { clock, random, logger } = this.options;
    this.#closeGate(failure, call);
    const decision = decideRetry(failure, {
      replay: call.operation.replay,
      retriesDone: call.retriesDone,
      retries: call.retries,
      remainingMs: call.remainingMs(),
      random: random(),
    });
    if (!decision.retry || !this.#budget.take()) throw error;
    call.retriesDone += 1;
    const { delayMs } = decision;
    const code = error instanceof AntennaError ? error.code : undefined;
    publish('retry', () => call.event({ delayMs, code }));
    logger.debug(
      { ...call.logFields(), delayMs, code, status: failure.status },
      'request failed, will retry',
    );
    await abortable(call, (signal) => sleep(clock, delayMs, signal));
  }

  #closeGate(failure: Failure, call: Call<unknown>): void {
    if (failure.status !== 429 && failure.status !== 503) return;
    const ownMs = backoffMs(call.retriesDone, this.options.random());
    // As for the caller's own wait: `Retry-After: 0` is no invitation to everybody at once.
    if (failure.retryAfterMs !== undefined) this.#gate.close(Math.max(failure.retryAfterMs, ownMs));
    else this.#gate.refused(call.path, ownMs);
  }
}

/**
 * p-retry runs the loop; when and whether is decided in `#afterFailure`, by pure functions and an injected clock. Every option is
 * spelt out: for one that is missing p-retry adds a property to its copy, and these additions cost a fifth of a request's CPU.
 */
const RETRY_LOOP = {
  retries: Number.POSITIVE_INFINITY,
  minTimeout: 0,
  maxTimeout: Number.POSITIVE_INFINITY,
  maxRetryTime: Number.POSITIVE_INFINITY,
  factor: 1,
  randomize: false,
  shouldRetry: () => true,
  shouldConsumeRetry: () => true,
};

/** Waits for something that only the caller's signal can interrupt, and reports its abort as ours. */
async function abortable(
  call: Call<unknown>,
  wait: (signal: AbortSignal | undefined) => Promise<void>,
): Promise<void> {
  const { signal } = call;
  try {
    await wait(signal);
  } catch (error) {
    if (signal?.aborted) throw call.abortError();
    throw error;
  }
}
