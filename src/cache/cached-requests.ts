import type { Credential } from '../auth/credential.js';
import { credentialFault } from '../auth/late-fault.js';
import type { CredentialSource } from '../auth/source.js';
import { AntennaAbortError } from '../errors/connection.js';
import type { RequestCache } from '../http/http-options.js';
import type { Operation, OperationInput, RequestOptions } from '../http/operation.js';
import type { Clock } from '../time/clock.js';
import { Deadline } from '../time/deadline.js';
import { deepFreeze } from './freeze.js';
import { fingerprintOf, pinned } from './identity.js';
import { cacheKey } from './key.js';
import type { CacheLimits } from './options.js';
import { INVALIDATES, isCached } from './rules.js';
import type { CacheStore, EntryName, Ticket } from './store.js';

/** What the cache works with. */
export interface CachedRequestsOptions {
  readonly store: CacheStore;
  readonly limits: CacheLimits;
  readonly clock: Clock;
  readonly baseUrl: string;
  readonly credentials: CredentialSource;
  /** Milliseconds for a whole call. */
  readonly timeoutMs: number;
}

/** Sends a request as if there were no cache. */
export type Send<Result> = (input: OperationInput, options: RequestOptions) => Promise<Result>;

/** For a caller that only its signal can make leave: the longest that a timer takes. */
const LONGEST_MS = 2_147_483_647;

interface Flight {
  readonly ticket: Ticket;
  readonly answer: Promise<unknown>;
}

/** Answers calls from what is kept, lets equal calls share one request, and knows what a change makes old. */
export class CachedRequests implements RequestCache {
  readonly #options: CachedRequestsOptions;
  readonly #flights = new Map<string, Flight>();

  constructor(options: CachedRequestsOptions) {
    this.#options = options;
  }

  /** Milliseconds for which an answer to this call may be kept; 0: the call goes to the server, whatever is kept. */
  ttlMs(operation: Operation<unknown>, { headers }: RequestOptions): number {
    // An answer may depend on a header, and what the caller adds is unknown here.
    return isCached(operation.id) && headers === undefined ? this.#options.limits.ttlMs[operation.id] : 0;
  }

  /**
   * Answers a call of an operation whose {@link ttlMs} is not 0. What it returns is frozen.
   *
   * Equal calls of one credential share a request, which has its own deadline: a caller that leaves does not end it for the
   * others. A call with a time limit, retries or `nocache` of its own sends its own.
   * @throws what `send` throws, CredentialError, AntennaTimeoutError, AntennaAbortError.
   */
  async request<Result>(
    operation: Operation<Result>,
    input: OperationInput,
    options: RequestOptions,
    send: Send<Result>,
  ): Promise<Result> {
    const { store, credentials } = this.#options;
    const source = input.credentials ?? credentials;
    const identity = this.#identify(source, operation, options);
    // A token that is at hand costs no turn of the loop, and its provider is not asked.
    const credential = identity instanceof Promise ? await identity : identity;
    const name = this.#nameOf(operation, input, credential);
    if (options.nocache !== true) {
      const kept = store.find(name.key);
      if (kept) store.counts.hits += 1;
      if (kept) return kept.value as Result;
      const flight = this.#flights.get(name.key);
      if (flight && !flight.ticket.stale) {
        store.counts.joined += 1;
        return (await this.#wait(flight.answer, operation, options)) as Result;
      }
    }
    store.counts.misses += 1;
    const signed = { ...input, credentials: pinned(credential, source) };
    const { nocache, ...rest } = options;
    const own = nocache === true || rest.timeoutMs !== undefined || rest.retries !== undefined;
    if (own) return this.#keepAnswer(store.begin(name), send(signed, rest));
    return (await this.#wait(this.#fly(name, send(signed, {})), operation, options)) as Result;
  }

  /** A request was sent, with whatever end: forgets what it may have changed. A change that failed may have happened. */
  sent(operation: string, credential: Credential | undefined): void {
    const old = INVALIDATES[operation];
    if (old === undefined) return;
    if (old === 'credential') this.refused(credential);
    else if (old.length > 0) this.#options.store.drop((name) => old.includes(name.operation));
  }

  /** The server refused a credential: what it was shown is not shown to whoever has it now. */
  refused(credential: Credential | undefined): void {
    const fingerprint = fingerprintOf(credential);
    this.#options.store.drop((name) => name.fingerprint === fingerprint);
  }

  #identify(
    source: CredentialSource,
    operation: Operation<unknown>,
    { signal, timeoutMs = this.#options.timeoutMs }: RequestOptions,
  ): Credential | undefined | Promise<Credential | undefined> {
    if (signal?.aborted) throw abortError(operation, signal, 'no');
    const deadline = new Deadline({ clock: this.#options.clock, timeoutMs, signal });
    let waiting = false;
    try {
      const answer = source.get({
        reason: 'initial',
        get signal() {
          return deadline.signal;
        },
      });
      waiting = answer instanceof Promise;
      return answer instanceof Promise ? this.#settle(answer, deadline, operation, signal) : answer;
    } catch (error) {
      return credentialFault(error).then((fault) => {
        throw fault;
      });
    } finally {
      if (!waiting) deadline.dispose();
    }
  }

  async #settle(
    answer: Promise<Credential | undefined>,
    deadline: Deadline,
    operation: Operation<unknown>,
    signal: AbortSignal | undefined,
  ): Promise<Credential | undefined> {
    try {
      return await deadline.race(answer);
    } catch (error) {
      if (signal?.aborted) throw abortError(operation, signal, 'no');
      throw deadline.reason ?? (await credentialFault(error));
    } finally {
      deadline.dispose();
    }
  }

  /** Waits for a shared request no longer than this caller wants to. Without limits of its own its end is the request's. */
  async #wait(
    answer: Promise<unknown>,
    operation: Operation<unknown>,
    options: RequestOptions,
  ): Promise<unknown> {
    const { signal, timeoutMs } = options;
    if (signal === undefined && timeoutMs === undefined) return answer;
    const { clock } = this.#options;
    const deadline = new Deadline({ clock, timeoutMs: timeoutMs ?? LONGEST_MS, signal, phase: 'total' });
    try {
      return await deadline.race(answer);
    } catch (error) {
      if (signal?.aborted) throw abortError(operation, signal, 'unknown');
      throw error;
    } finally {
      deadline.dispose();
    }
  }

  #nameOf(
    operation: Operation<unknown>,
    input: OperationInput,
    credential: Credential | undefined,
  ): EntryName {
    const { id } = operation;
    if (!isCached(id)) throw new TypeError(`${id} is not a cached operation`);
    const fingerprint = fingerprintOf(credential);
    return {
      key: cacheKey(fingerprint, this.#options.baseUrl, id, input),
      operation: id,
      fingerprint,
    };
  }

  #fly(name: EntryName, answer: Promise<unknown>): Promise<unknown> {
    const ticket = this.#options.store.begin(name);
    const flight: Flight = {
      ticket,
      answer: this.#keepAnswer(ticket, answer, () => {
        if (this.#flights.get(name.key) === flight) this.#flights.delete(name.key);
      }),
    };
    this.#flights.set(name.key, flight);
    return flight.answer;
  }

  /** @param landed - called when the answer or the failure is there, before anybody hears of it. */
  async #keepAnswer<Result>(
    ticket: Ticket,
    answer: Promise<Result>,
    landed: () => void = () => undefined,
  ): Promise<Result> {
    const { store, limits } = this.#options;
    try {
      const value = deepFreeze(await answer);
      store.keep(ticket, value, limits.ttlMs[ticket.operation]);
      return value;
    } finally {
      store.discard(ticket);
      landed();
    }
  }
}

function abortError(
  { method, path }: Operation<unknown>,
  signal: AbortSignal,
  delivered: 'no' | 'unknown',
): AntennaAbortError {
  const message = `${method} ${path} was aborted by its signal`;
  return new AntennaAbortError({ cause: signal.reason, message, delivered });
}

/** A source that tells of credentials which the server has refused, also when the call goes on with another. */
export function watched(
  source: CredentialSource,
  refused: (credential: Credential) => void,
): CredentialSource {
  return {
    get(request) {
      if (request.rejected) refused(request.rejected);
      return source.get(request);
    },
    health: () => source.health?.(),
    close: () => source.close?.(),
  };
}
