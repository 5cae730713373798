import { randomUUID } from 'node:crypto';
import { Credential } from '../auth/credential.js';
import { toCredentialError } from '../auth/provider-fault.js';
import type { CredentialRequest } from '../auth/source.js';
import { AntennaAbortError } from '../errors/abort.js';
import { AntennaApiError } from '../errors/api.js';
import type { Delivered } from '../errors/base.js';
import { AntennaConnectionError } from '../errors/connection.js';
import { AntennaContractError } from '../errors/contract.js';
import { AntennaTimeoutError, type TimeoutPhase } from '../errors/timeout.js';
import { Deadline } from '../time/deadline.js';
import { phaseTimings, type PhaseMarks, type RequestEvent } from './diagnostics.js';
import type { HttpClientOptions } from './http-client.js';
import { interpret } from './interpret.js';
import type { Operation, OperationInput, RequestOptions } from './operation.js';
import { redact } from './redact.js';
import { checkedHeaders, encodeBody, stringsIn } from './request-parts.js';
import type { Failure } from './retry-policy.js';
import { TransportFailure, type TransportResponse } from './transport.js';
import { buildQuery, fillPath } from './url.js';

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

  readonly #http: HttpClientOptions;
  readonly #url: URL;
  readonly #headers: Record<string, string>;
  readonly #body: string | Uint8Array | undefined;
  readonly #requestId = randomUUID();
  readonly #startedAt: number;
  readonly #timeoutMs: number;
  #credential: Credential | undefined;
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
    this.#http = http;
    this.operation = operation;
    this.method = operation.method;
    this.path = fillPath(operation.path, input.params);
    this.#url = new URL(http.baseUrl.pathname + this.path + buildQuery(input.query), http.baseUrl);
    this.#body = encodeBody(input.body);
    this.signal = options.signal;
    this.retries = options.retries ?? http.retries;
    this.#timeoutMs = options.timeoutMs ?? http.timeoutMs;
    this.#startedAt = http.clock.now();
    this.#headers = {
      accept: 'application/json',
      ...checkedHeaders(http.headers),
      ...checkedHeaders(options.headers ?? {}),
      'x-request-id': this.#requestId,
      ...(this.#body === undefined ? {} : { 'content-type': 'application/json' }),
    };
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
    const attemptMs = this.operation.attemptTimeoutMs ?? this.#http.attemptTimeoutMs;
    const remainingMs = this.remainingMs();
    const deadline = new Deadline({
      clock: this.#http.clock,
      timeoutMs: Math.min(attemptMs, remainingMs),
      signal: this.signal,
    });
    this.#marks = {};
    try {
      const response = await this.#exchange(deadline, mayResend);
      this.#mark('parse');
      // Written out, not spread: adding to a spread copy is the slow way to make an object, and this is every request's.
      const { method, path, requestId, attempts } = this.#context(response);
      const result = interpret(this.operation, response, {
        method,
        path,
        requestId,
        attempts,
        scheme: this.#credential?.scheme,
        secrets: this.#secrets(),
        wallNowMs: this.#http.clock.wallNow(),
        origin: this.#url.origin,
      });
      this.#mark('total');
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
      delivered: this.#sends === 0 ? 'no' : 'unknown',
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
    const before = this.#credential;
    if (reason === 'rejected' && before === undefined) return false;
    deadline.enter('token');
    this.#mark('token');
    const request: CredentialRequest = {
      reason,
      signal: deadline.signal,
      ...(reason === 'rejected' && before ? { rejected: before } : {}),
    };
    let credential: Credential | undefined;
    try {
      deadline.signal.throwIfAborted();
      const answer = this.#http.credentials.get(request);
      // Not awaited when it is there: one turn of the microtask queue is saved in every request with a held token.
      credential = answer instanceof Promise ? await deadline.race(answer) : answer;
    } catch (error) {
      throw this.#credentialFault(error, deadline);
    }
    if (reason === 'initial' || credential !== undefined) this.#credential = credential;
    return credential !== undefined && credential !== before;
  }

  /** Whatever a source throws may hold a secret, or look like an answer of this server: it leaves as a CredentialError. */
  #credentialFault(thrown: unknown, deadline: Deadline): unknown {
    if (deadline.signal.aborted) return deadline.signal.reason;
    return thrown instanceof AntennaAbortError ? thrown : toCredentialError(thrown);
  }

  async #send(deadline: Deadline, mayResend: () => boolean): Promise<TransportResponse> {
    deadline.signal.throwIfAborted();
    this.#sends += 1;
    this.#status = undefined;
    try {
      const response = await this.#http.transport.send({
        method: this.method,
        url: this.#url,
        headers: this.#signed(),
        body: this.#body,
        signal: deadline.signal,
        enter: (phase) => {
          deadline.enter(phase);
          this.#mark(phase);
        },
      });
      this.#status = response.status;
      return response;
    } catch (error) {
      const stale = error instanceof TransportFailure && error.staleSocket;
      if (!stale || this.#resent || this.operation.replay !== 'always' || !mayResend()) throw error;
      this.#resent = true;
      return this.#send(deadline, mayResend);
    }
  }

  #signed(): Record<string, string> {
    if (this.#credential === undefined) return this.#headers;
    const { name, value } = Credential.open(this.#credential);
    return { ...this.#headers, [name]: value };
  }

  /** Gives an error its final form, and notes what a retry needs to know about it. */
  #classify(error: unknown, lastOfSeveral: boolean): unknown {
    const context = this.#context(undefined);
    if (error instanceof AntennaApiError) {
      this.lastFailure = { status: error.status, delivered: 'unknown', retryAfterMs: error.retryAfterMs };
      return error;
    }
    if (error instanceof AntennaTimeoutError) {
      const delivered: Delivered = this.#sends === 0 ? 'no' : error.delivered;
      this.lastFailure = { delivered };
      const phase = lastOfSeveral ? 'total' : error.phase;
      const timeoutMs = lastOfSeveral ? this.#timeoutMs : error.timeoutMs;
      return new AntennaTimeoutError({ phase, timeoutMs, context, delivered });
    }
    if (error instanceof AntennaAbortError) return this.signal?.aborted ? this.abortError() : error;
    if (error instanceof TransportFailure) return this.#transportError(error);
    return error;
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
    const { delivered, causeCode, staleSocket } = failure;
    this.lastFailure = { delivered, staleSocket };
    return new AntennaConnectionError({ ...context, delivered, reason, causeCode });
  }

  #context(response: TransportResponse | undefined) {
    return {
      method: this.method,
      path: this.path,
      requestId: response?.headers['x-request-id'] ?? this.#requestId,
      attempts: this.#sends,
    };
  }

  #secrets(): string[] {
    const secrets = this.#credential === undefined ? [] : [Credential.open(this.#credential).secret];
    if (this.operation.sensitive && typeof this.#body === 'string') secrets.push(...stringsIn(this.#body));
    return secrets;
  }

  #mark(phase: TimeoutPhase | 'parse'): void {
    this.#marks[phase] = this.#http.clock.now();
  }
}
