import { createUndiciTransport } from '../http/undici-transport.js';
import { describeFailure } from '../http/failure.js';
import { TransportFailure, type Transport, type TransportResponse } from '../http/transport.js';
import type { Logger } from '../log/logger.js';
import { systemClock, type Clock } from '../time/clock.js';
import { Deadline } from '../time/deadline.js';
import { firstLine, parseJson } from './answers.js';
import { BRIDGE_DEFAULTS } from './defaults.js';
import { PushContractError } from './errors.js';
import { normaliseInfo, type ServiceInfo } from './info.js';
import { paced, type Pace } from './pace.js';
import type { ServiceChild } from './service-child.js';

/** What a connection works with. */
export interface ConnectionOptions {
  /** Origin of the service, with a slash at its end. */
  readonly url: URL;
  readonly logger: Logger;
  readonly clock?: Clock | undefined;
  readonly pollIntervalMs?: number | undefined;
  readonly probeTimeoutMs?: number | undefined;
  readonly infoTimeoutMs?: number | undefined;
  readonly child?: ServiceChild | undefined;
}

/** Why a call brought no answer. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  readonly timedOut: boolean;
  /** The service got nothing of it: it was away before the call. */
  readonly refused: boolean;

  constructor(message: string, options: { readonly timedOut: boolean; readonly refused: boolean }) {
    super(message);
    this.timedOut = options.timedOut;
    this.refused = options.refused;
  }
}

/**
 * The requests to one service, each with a deadline of its own, as the service has none. Never two at a time: a service that computes
 * answers nobody else meanwhile (PUSH_API §1), so a probe beside a call would only say that it works.
 */
export class PushConnection {
  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  #transport: Transport;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#transport = newTransport();
  }

  /** Where the service is, for texts. */
  get place(): string {
    return this.#options.url.origin;
  }

  /** Runs one piece of work after the other. */
  exclusive<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Posts a body to `/process`.
   * @throws NoAnswerError when none came; the signal's reason when it aborts.
   */
  async process(body: string, timeoutMs: number, signal: AbortSignal): Promise<TransportResponse> {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    try {
      return await this.#send('POST', 'process', { timeoutMs, signal, headers, body });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw noAnswer(error, timeoutMs);
    }
  }

  /**
   * Waits for `/readyz` (and, after a call that was given up, first for `/livez`), without a limit on attempts, and reads `/info`.
   * @throws PushContractError when `/info` is none; HandlerStartError when the command that should serve it does not start; the signal's
   * reason when it aborts.
   */
  async open(signal: AbortSignal, options: { readonly stuck?: boolean } = {}): Promise<ServiceInfo> {
    const pace = paced(this.#clock, this.#options, signal);
    if (options.stuck) await this.#await('livez', pace, signal);
    await this.#await('readyz', pace, signal);
    return this.#info(pace, signal);
  }

  /** Whether anything answers. */
  async answers(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#send('GET', 'livez', { timeoutMs: BRIDGE_DEFAULTS.probeTimeoutMs, signal });
      return true;
    } catch (error) {
      return !signal.aborted && !noAnswer(error, 0).refused;
    }
  }

  /** `/info` as it is now. @throws NoAnswerError, PushContractError. */
  async info(signal: AbortSignal): Promise<ServiceInfo> {
    const timeoutMs = this.#options.infoTimeoutMs ?? BRIDGE_DEFAULTS.infoTimeoutMs;
    let answer: TransportResponse;
    try {
      answer = await this.#send('GET', 'info', { timeoutMs, signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw noAnswer(error, timeoutMs);
    }
    const text = answer.body.toString('utf8');
    const info = answer.status === 200 ? normaliseInfo(parseJson(text)) : undefined;
    if (info) return info;
    const said = `answered ${answer.status}: ${firstLine(text, answer.headers['content-type'])}`;
    if (answer.status >= 500) throw new NoAnswerError(`/info ${said}`, { timedOut: false, refused: false });
    throw new PushContractError(
      `What listens at ${this.place} is no processing service: its /info ${said}. Check the url`,
    );
  }

  /** Ends idle connections; it can be used again. */
  async endIdle(): Promise<void> {
    const old = this.#transport;
    this.#transport = newTransport();
    await old.close();
  }

  async #await(path: 'readyz' | 'livez', pace: Pace, signal: AbortSignal): Promise<void> {
    const { child, probeTimeoutMs = BRIDGE_DEFAULTS.probeTimeoutMs } = this.#options;
    for (;;) {
      await child?.running(signal);
      const why = await this.#probe(path, probeTimeoutMs, signal);
      if (why === undefined) return;
      await pace.wait(`waiting for /${path} of ${this.place}: ${why}`);
    }
  }

  /** @returns why it is not ready. */
  async #probe(path: string, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
    try {
      const { status, headers, body } = await this.#send('GET', path, { timeoutMs, signal });
      if (status === 200) return undefined;
      return `it answered ${status}: ${firstLine(body.toString('utf8'), headers['content-type'])}`;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      return noAnswer(error, timeoutMs).message;
    }
  }

  async #info(pace: Pace, signal: AbortSignal): Promise<ServiceInfo> {
    for (;;) {
      try {
        return await this.info(signal);
      } catch (error) {
        if (signal.aborted || !(error instanceof NoAnswerError)) throw error;
        await pace.wait(`waiting for /info of ${this.place}: ${error.message}`);
        await this.#await('readyz', pace, signal);
      }
    }
  }

  async #send(
    method: string,
    path: string,
    options: {
      readonly timeoutMs: number;
      readonly signal: AbortSignal;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    },
  ): Promise<TransportResponse> {
    const deadline = new Deadline({
      clock: this.#clock,
      timeoutMs: options.timeoutMs,
      signal: options.signal,
    });
    try {
      const send = this.#transport.send({
        method,
        url: new URL(path, this.#options.url),
        headers: options.headers ?? { accept: 'application/json' },
        body: options.body,
        deadline,
        enter: (phase) => {
          deadline.enter(phase);
        },
        // A service that was restarted has closed every connection behind our back; a call is dear, a connection is not.
        fresh: true,
      });
      return await deadline.race(send);
    } finally {
      deadline.dispose();
    }
  }
}

function newTransport(): Transport {
  return createUndiciTransport({
    connectTimeoutMs: 10_000,
    maxResponseBytes: BRIDGE_DEFAULTS.maxAnswerBytes,
  });
}

function noAnswer(error: unknown, timeoutMs: number): NoAnswerError {
  if (error instanceof NoAnswerError) return error;
  if (error instanceof TransportFailure)
    return new NoAnswerError(error.message, { timedOut: false, refused: error.delivered === 'no' });
  if (error instanceof Error && 'code' in error && error.code === 'timeout')
    return new NoAnswerError(`no answer within ${timeoutMs} ms`, { timedOut: true, refused: false });
  return new NoAnswerError(describeFailure(error).reason, { timedOut: false, refused: false });
}
