import { randomUUID } from 'node:crypto';
import { Credential } from '../auth/credential.js';
import { credentialFault } from '../auth/late-fault.js';
import type { CredentialRequest, CredentialSource } from '../auth/source.js';
import { leftOutOf } from '../contract/answer.js';
import {
  AntennaAbortError,
  AntennaConnectionError,
  AntennaTimeoutError,
  type TimeoutPhase,
} from '../errors/connection.js';
import { AntennaApiError } from '../errors/api.js';
import type { Delivered } from '../errors/base.js';
import { AntennaContractError } from '../errors/contract.js';
import { Deadline } from '../time/deadline.js';
import { phaseTimings, type PhaseMarks, type RequestEvent } from './diagnostics.js';
import type { HttpClientOptions } from './http-options.js';
import { interpret } from './interpret.js';
import { hintsFor } from './late-hints.js';
import { attemptTimeoutMs, type Operation, type OperationInput, type RequestOptions } from './operation.js';
import { redact } from './redact.js';
import { assertConfidential, checkedHeaders, encodeBody, stringsIn } from './request-parts.js';
import { wasRefused, type Failure } from './retry-policy.js';
import { TransportFailure, type TransportResponse } from './transport.js';
import { buildQuery, fillPath } from './url.js';

/** Longest request id of the server's that an error repeats. */
const MAX_REQUEST_ID_CHARS = 200;

/** One call with all that its attempts share: the encoded body, the deadline, the credential in use, what happened so far. */
export class Call<Result> {
  readonly operation: Operation<Result>;
  readonly method: string;
  readonly path: string;
  readonly signal: AbortSignal | undefined;
  readonly retries: number;
  retriesDone = 0;
  /** The last attempt's failure; undefined when it is not one that a retry could mend. */
  lastFailure: Failure | undefined;
  /** Whether any attempt so far may have reached a server that acted on it. The last one's failure alone does not tell. */
  delivered: Delivered = 'no';
  /** The one that was sent last; undefined before the first attempt, and without any. */
  credential: Credential | undefined;

  readonly #http: HttpClientOptions;
  readonly #url: URL;
  readonly #headers: Record<string, string>;
  readonly #body: string | Uint8Array | undefined;
  readonly #requestId: string;
  readonly #credentials: CredentialSource;
  readonly #startedAt: number;
  readonly #timeoutMs: number;
  #refreshed = false;
  #resent = false;
  #sends = 0;
  #status: number | undefined;
  #marks: PhaseMarks = {};

  constructor(
    http: HttpClientOptions,
    operation: Operation<Result>,
    input: OperationInput,
    options: RequestOptions,
  ) {
    assertConfidential(operation, http.confidential);
    this.#http = http;
    this.#credentials = input.credentials ?? http.credentials;
    this.operation = operation;
    this.method = operation.method;
    this.path = fillPath(operation.path, input.params);
    this.#url = new URL(http.baseUrl.pathname + this.path + buildQuery(input.query), http.baseUrl);
    this.#body = encodeBody(input.body);
    this.signal = options.signal;
    this.retries = options.retries ?? http.retries;
    this.#timeoutMs = options.timeoutMs ?? http.timeoutMs;
    this.#startedAt = http.clock.now();
    this.#headers = { accept: 'application/json', ...http.headers };
    if (options.headers) Object.assign(this.#headers, checkedHeaders(options.headers));
    this.#requestId = this.#headers['x-request-id'] ??= randomUUID();
    if (this.#body !== undefined) this.#headers['content-type'] = 'application/json';
  }

  remainingMs(): number {
    return this.#startedAt + this.#timeoutMs - this.#http.clock.now();
  }

  /**
   * One attempt: credential, request, answer; on a 401 once more with a newer credential, on a connection that the server had
   * already closed once more at once.
   * @param mayResend - asks the retry budget for the resend.
   */
  async attempt(mayResend: () => boolean): Promise<Result> {
    this.lastFailure = undefined;
    const attemptMs = attemptTimeoutMs(this.operation, this.#http.attemptTimeoutMs);
    const remainingMs = this.remainingMs();
    if (remainingMs <= 0) throw this.#timeoutError('total', this.#timeoutMs);
    const deadline = new Deadline({
      clock: this.#http.clock,
      timeoutMs: Math.min(attemptMs, remainingMs),
      signal: this.signal,
    });
    this.#marks = {};
    try {
      const response = await this.#exchange(deadline, mayResend);
      const hintFor = response.status < 400 ? undefined : await hintsFor(this.operation.id, response.status);
      this.#mark('parse');
      // Written out, not spread: adding to a spread copy is the slow way to make an object, and this is every request's.
      const { method, path, requestId, attempts } = this.#context(response);
      const result = interpret(this.operation, response, {
        method,
        path,
        requestId,
        attempts,
        scheme: this.credential?.scheme,
        secrets: this.#secrets(),
        wallNowMs: this.#http.clock.wallNow(),
        origin: this.#url.origin,
        hintFor,
      });
      this.#mark('total');
      const leftOut = leftOutOf(result);
      if (leftOut.length > 0) await this.#http.leftOut(this.operation.id, path, leftOut);
      return result;
    } catch (error) {
      throw this.#classify(error, this.retriesDone > 0 && remainingMs <= attemptMs);
    } finally {
      deadline.dispose();
    }
  }

  abortError(): AntennaAbortError {
    return new AntennaAbortError({
      cause: this.signal?.reason,
      message: `${this.method} ${this.path} was aborted by its signal`,
      delivered: this.delivered,
    });
  }

  /** What events say about this call. */
  event(extra: Partial<RequestEvent> = {}): RequestEvent {
    return {
      operation: this.operation.id,
      method: this.method,
      path: this.path,
      requestId: this.#requestId,
      attempts: this.#sends,
      durationMs: this.#http.clock.now() - this.#startedAt,
      status: this.#status,
      bytesSent: this.#body === undefined ? 0 : Buffer.byteLength(this.#body),
      phases: phaseTimings(this.#marks),
      ...extra,
    };
  }

  logFields(): Record<string, unknown> {
    const { operation, method, path } = this;
    return { operation: operation.id, method, path, requestId: this.#requestId, attempt: this.#sends };
  }

  async #exchange(deadline: Deadline, mayResend: () => boolean): Promise<TransportResponse> {
    // A call that is over before it began asks no token issuer.
    deadline.throwIfEnded();
    await this.#obtainCredential(deadline, 'initial');
    const response = await this.#send(deadline, mayResend);
    if (response.status !== 401 || this.#refreshed || !(await this.#obtainCredential(deadline, 'rejected'))) {
      return response;
    }
    this.#refreshed = true;
    return this.#send(deadline, mayResend);
  }

  /** Asks for a credential; says whether it is another one than before. */
  async #obtainCredential(deadline: Deadline, reason: 'initial' | 'rejected'): Promise<boolean> {
    if (this.operation.anonymous) return false;
    const before = this.credential;
    if (reason === 'rejected' && before === undefined) return false;
    deadline.enter('token');
    this.#mark('token');
    const request: CredentialRequest = {
      reason,
      // Made for those who look at it: a key that is at hand needs no signal.
      get signal() {
        return deadline.signal;
      },
      rejected: reason === 'rejected' ? before : undefined,
    };
    let credential: Credential | undefined;
    try {
      deadline.throwIfEnded();
      const answer = this.#credentials.get(request);
      // Not awaited when it is there: one turn of the microtask queue is saved in every request with a held token.
      credential = answer instanceof Promise ? await deadline.race(answer) : answer;
    } catch (error) {
      throw deadline.reason ?? (await credentialFault(error));
    }
    if (reason === 'initial' || credential !== undefined) this.credential = credential;
    return credential !== undefined && credential !== before;
  }

  async #send(deadline: Deadline, mayResend: () => boolean, fresh = false): Promise<TransportResponse> {
    deadline.throwIfEnded();
    const before = this.delivered;
    this.#sends += 1;
    this.#status = undefined;
    try {
      const response = await this.#http.transport.send({
        method: this.method,
        url: this.#url,
        headers: this.#signed(),
        body: this.#body,
        deadline,
        fresh,
        enter: (phase) => {
          deadline.enter(phase);
          this.#mark(phase);
          if (phase !== 'connect') this.delivered = 'unknown';
        },
      });
      this.#status = response.status;
      if (wasRefused(response.status)) this.delivered = before;
      return response;
    } catch (error) {
      if (error instanceof TransportFailure && error.delivered === 'no') this.delivered = before;
      const stale = error instanceof TransportFailure && error.staleSocket;
      if (!stale || this.#resent || this.operation.replay !== 'always' || !mayResend()) throw error;
      this.#resent = true;
      return this.#send(deadline, mayResend, true);
    }
  }

  #signed(): Record<string, string> {
    if (this.credential === undefined) return this.#headers;
    const { name, value } = Credential.open(this.credential);
    return { ...this.#headers, [name]: value };
  }

  /** Gives an error its final form, and notes what a retry needs to know about it. */
  #classify(error: unknown, lastOfSeveral: boolean): unknown {
    const { delivered } = this;
    if (error instanceof AntennaApiError) {
      this.lastFailure = { status: error.status, delivered, retryAfterMs: error.retryAfterMs };
      return error;
    }
    if (error instanceof TransportFailure) return this.#transportError(error);
    const ended = error instanceof AntennaTimeoutError || error instanceof AntennaAbortError;
    // The signal's reason may be a timeout of somebody else's deadline: the caller gave up, and wants no retry.
    if (ended && this.signal?.aborted) return this.abortError();
    if (!(error instanceof AntennaTimeoutError)) return error;
    this.lastFailure = { delivered };
    return lastOfSeveral
      ? this.#timeoutError('total', this.#timeoutMs)
      : this.#timeoutError(error.phase, error.timeoutMs);
  }

  #transportError(failure: TransportFailure): Error {
    const context = this.#context(undefined);
    const reason = redact(failure.message, this.#secrets());
    if (failure.tooLarge) {
      return new AntennaContractError({
        ...context,
        violation: 'too_large',
        status: this.#status ?? 200,
        reason,
      });
    }
    const { delivered } = this;
    const { causeCode } = failure;
    this.lastFailure = { delivered };
    if (causeCode === 'UND_ERR_CONNECT_TIMEOUT') {
      const { clock } = this.#http;
      return this.#timeoutError('connect', clock.now() - (this.#marks.connect ?? this.#startedAt));
    }
    return new AntennaConnectionError({ ...context, delivered, reason, causeCode });
  }

  #timeoutError(phase: TimeoutPhase, timeoutMs: number): AntennaTimeoutError {
    const { delivered } = this;
    return new AntennaTimeoutError({ phase, timeoutMs, delivered, context: this.#context(undefined) });
  }

  #context(response: TransportResponse | undefined) {
    const { method, path } = this;
    const theirs = response?.headers['x-request-id'];
    // The server's text like any other: it may hold what was sent.
    const requestId =
      theirs === undefined ? this.#requestId : redact(theirs, this.#secrets()).slice(0, MAX_REQUEST_ID_CHARS);
    return { method, path, requestId, attempts: this.#sends };
  }

  #secrets(): string[] {
    const secrets = this.credential === undefined ? [] : [Credential.open(this.credential).secret];
    if (this.operation.sensitive && typeof this.#body === 'string') secrets.push(...stringsIn(this.#body));
    return secrets;
  }

  #mark(phase: TimeoutPhase | 'parse'): void {
    this.#marks[phase] = this.#http.clock.now();
  }
}
