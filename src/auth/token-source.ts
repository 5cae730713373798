import { toCredentialError } from './provider-fault.js';
import { CredentialError } from '../errors/credential.js';
import { AntennaAbortError } from '../errors/connection.js';
import type { Logger } from '../log/logger.js';
import type { Now, TokenTimes } from './refresh-policy.js';
import { decideUse, remainingMs, windowMs } from './refresh-policy.js';
import { askProvider, type ProviderCall } from './ask-provider.js';
import { publishCredential, type CredentialHealth, type TokenMode } from './credential-health.js';
import type { Credential } from './credential.js';
import { RefreshPacing } from './refresh-pacing.js';
import type { CredentialRequest, CredentialSource } from './source.js';
import type { CheckedToken } from './token-answer.js';
import type { TokenReason } from './token-provider.js';

/** Options of {@link TokenSource}. */
export interface TokenSourceOptions extends ProviderCall {
  /** Renew this long before the end, at most. */
  readonly refreshWindowMs: number;
  /** In [0, 1); for jitter. */
  readonly random: () => number;
  readonly logger: Logger;
}

interface HeldToken {
  readonly credential: Credential;
  readonly times: TokenTimes;
}

/** One call of the provider that several requests may wait for. Never rejects, so that nobody needs to wait for it. */
interface Flight {
  readonly reason: TokenReason;
  readonly generation: number;
  readonly outcome: Promise<Outcome>;
}

type Outcome =
  | { readonly kind: 'held'; readonly credential: Credential }
  | { readonly kind: 'for-one'; readonly credential: Credential }
  | { readonly kind: 'failed'; readonly error: Error };

/**
 * Tokens of one provider for one client.
 *
 * What it must not do was learnt from libraries that did: give one tenant's token to another, bind a shared refresh to the first
 * waiter's signal, refresh with every request, let a background refresh end the process, let an old refresh overwrite a newer token.
 */
export class TokenSource implements CredentialSource {
  readonly #options: TokenSourceOptions;
  readonly #pacing: RefreshPacing;
  readonly #closing = new AbortController();
  #mode: TokenMode = 'unknown';
  #held: HeldToken | undefined;
  #flight: Flight | undefined;
  /** Rises with every 401 on the token in use: a refresh begun before cannot write its answer any more. */
  #generation = 0;
  #lastRefreshAt: Date | undefined;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
    this.#pacing = new RefreshPacing(options.random);
  }

  get(request: CredentialRequest): Credential | Promise<Credential | undefined> {
    if (this.#mode === 'per-request') return this.#askForOne(request);
    if (request.reason === 'rejected') return this.#replace(request);
    if (this.#held === undefined) return this.#first(request);
    const { refreshWindowMs } = this.#options;
    switch (decideUse(this.#held.times, this.#now(), refreshWindowMs, this.#pacing.refreshNotBeforeMs)) {
      case 'serve-and-refresh':
        this.#flight ??= this.#fly('expiring');
        return this.#held.credential;
      case 'serve':
        return this.#held.credential;
      case 'wait':
        return this.#join('expired', request);
    }
  }

  health(): CredentialHealth {
    const times = this.#held?.times;
    return {
      mode: this.#mode,
      expiresAt: times && new Date(times.expiresAtMs),
      lastRefreshAt: this.#lastRefreshAt,
      failures: this.#pacing.failures,
      nextRefreshAt: times && this.#nextRefreshAt(times),
    };
  }

  close(): void {
    this.#closing.abort(
      new AntennaAbortError({
        message: 'The client was closed while it waited for a token',
        delivered: 'no',
      }),
    );
  }

  #now(): Now {
    const { clock } = this.#options;
    return { monotonicMs: clock.now(), wallMs: clock.wallNow() };
  }

  #nextRefreshAt(times: TokenTimes): Date {
    const now = this.#now();
    const untilWindowMs = remainingMs(times, now) - windowMs(times.lifetimeMs, this.#options.refreshWindowMs);
    const untilAllowedMs = this.#pacing.refreshNotBeforeMs - now.monotonicMs;
    return new Date(now.wallMs + Math.max(0, untilWindowMs, untilAllowedMs));
  }

  /**
   * Until the provider has answered once nobody knows whether its tokens may be shared. Requests ask one after the other: the
   * first end makes the rest share, the first plain string lets all go, and one tenant's failure is not the next one's.
   */
  async #first(request: CredentialRequest): Promise<Credential | undefined> {
    if (this.#flight !== undefined) {
      await this.#flight.outcome;
      request.signal.throwIfAborted();
      return this.get(request);
    }
    this.#flight = this.#fly('initial');
    return opened(await this.#flight.outcome);
  }

  /** Waits for the flight in progress, or for a new one. */
  async #join(reason: TokenReason, request: CredentialRequest): Promise<Credential | undefined> {
    const running = this.#flight;
    if (running === undefined) {
      const held = this.#pacing.holdsBack(this.#options.clock.now());
      if (held !== undefined) throw held;
    }
    const outcome = await (this.#flight ??= this.#fly(reason)).outcome;
    // A plain string belongs to the request that asked for it.
    return outcome.kind === 'for-one' && running !== undefined ? this.#askForOne(request) : opened(outcome);
  }

  /** After a 401: a newer token if there is one already, else what the provider says, once for all who were refused. */
  async #replace(request: CredentialRequest): Promise<Credential | undefined> {
    const { rejected } = request;
    const held = this.#held;
    if (held === undefined) return this.#first(request);
    if (rejected !== undefined && !held.credential.equals(rejected))
      return this.get({ ...request, reason: 'initial' });
    const nowMs = this.#options.clock.now();
    if (this.#flight?.reason !== 'rejected') {
      const pause = this.#pacing.holdsBack(nowMs);
      if (pause !== undefined) throw pause;
      if (!this.#pacing.mayReplace(nowMs)) return undefined;
      this.#pacing.onRejection(nowMs);
      this.#generation += 1;
      this.#flight = undefined;
    }
    const credential = await this.#join('rejected', request);
    return credential?.equals(held.credential) ? undefined : credential;
  }

  async #askForOne(request: CredentialRequest): Promise<Credential | undefined> {
    const startedAtMs = this.#options.clock.now();
    const { reason, signal, rejected } = request;
    try {
      const { credential } = await askProvider(this.#options, { reason, signal });
      this.#noteAnswer(reason, startedAtMs, Number.POSITIVE_INFINITY, undefined);
      return rejected?.equals(credential) ? undefined : credential;
    } catch (error) {
      if (error instanceof CredentialError) {
        this.#pacing.onFailure(this.#options.clock.now(), error);
        this.#publishFailure(reason, startedAtMs, error);
      }
      throw error;
    }
  }

  #fly(reason: TokenReason): Flight {
    const generation = this.#generation;
    const flight: Flight = { reason, generation, outcome: this.#ask(reason, generation) };
    void flight.outcome.then(() => {
      if (this.#flight === flight) this.#flight = undefined;
    });
    return flight;
  }

  async #ask(reason: TokenReason, generation: number): Promise<Outcome> {
    const startedAtMs = this.#options.clock.now();
    const before = this.#held?.times.expiresAtMs;
    try {
      const answer = await askProvider(this.#options, {
        reason,
        signal: this.#closing.signal,
        previousExpiresAt: before === undefined ? undefined : new Date(before),
      });
      return this.#accept(reason, generation, startedAtMs, answer);
    } catch (error) {
      if (error instanceof AntennaAbortError) return { kind: 'failed', error };
      return {
        kind: 'failed',
        error: this.#noteFailure(reason, generation, startedAtMs, toCredentialError(error)),
      };
    }
  }

  #accept(reason: TokenReason, generation: number, startedAtMs: number, answer: CheckedToken): Outcome {
    const { credential, expiresAtMs } = answer;
    const now = this.#now();
    if (expiresAtMs === undefined) {
      this.#mode = 'per-request';
      this.#held = undefined;
      this.#noteAnswer(reason, startedAtMs, Number.POSITIVE_INFINITY, undefined);
      return { kind: 'for-one', credential };
    }
    if (generation === this.#generation && this.#mode !== 'per-request') {
      const before = this.#held;
      const same = before?.credential.equals(credential) === true;
      this.#mode = 'shared';
      const leftMs = expiresAtMs - now.wallMs;
      // Of a repeated token the whole lifetime counts, not the rest of it: the window would shrink with every answer.
      const lifetimeMs = same ? Math.max(before.times.lifetimeMs, leftMs) : leftMs;
      const receivedAtMs = now.monotonicMs + leftMs - lifetimeMs;
      this.#held = { credential, times: { receivedAtMs, lifetimeMs, expiresAtMs } };
      const repeated = same || before?.times.expiresAtMs === expiresAtMs;
      this.#noteAnswer(reason, startedAtMs, leftMs, expiresAtMs, repeated);
    }
    return { kind: 'held', credential };
  }

  #noteAnswer(
    reason: TokenReason,
    startedAtMs: number,
    leftMs: number,
    expiresAtMs: number | undefined,
    repeated = false,
  ): void {
    const { monotonicMs, wallMs } = this.#now();
    const { failures } = this.#pacing;
    if (failures > 0 && this.#mode === 'shared')
      this.#options.logger.info({ count: failures }, 'the token provider answers again');
    this.#pacing.onAnswer(monotonicMs, leftMs, repeated);
    this.#lastRefreshAt = new Date(wallMs);
    publishCredential('refresh', () => ({
      reason,
      durationMs: monotonicMs - startedAtMs,
      expiresAt: expiresAtMs === undefined ? undefined : new Date(expiresAtMs),
      repeated,
      failures: 0,
    }));
  }

  #noteFailure(
    reason: TokenReason,
    generation: number,
    startedAtMs: number,
    error: CredentialError,
  ): CredentialError {
    // Of an overtaken refresh nobody needs to know: the one that overtook it tells how the issuer is.
    if (generation !== this.#generation) return error;
    const paced = this.#pacing.onFailure(this.#options.clock.now(), error);
    const told = this.#mode === 'unknown' ? error : paced;
    // Once for each outage: an error that waiting requests get anyway, or that is the hundredth, would only bury the first.
    if (reason === 'expiring' && this.#pacing.failures === 1) {
      this.#options.logger.warn({ error: told }, 'a token refresh failed; the old token still serves');
    }
    this.#publishFailure(reason, startedAtMs, error);
    return told;
  }

  #publishFailure(reason: TokenReason, startedAtMs: number, error: CredentialError): void {
    publishCredential('failure', () => ({
      reason,
      durationMs: this.#options.clock.now() - startedAtMs,
      problem: error.problem,
      failures: this.#pacing.failures,
    }));
  }
}

function opened(outcome: Outcome): Credential {
  if (outcome.kind === 'failed') throw outcome.error;
  return outcome.credential;
}
