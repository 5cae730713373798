import type { Delivered } from '../errors/base.js';
import type { ReplayClass } from './operation.js';

/** First backoff ceiling; doubles with each retry (DESIGN §3). */
const BACKOFF_BASE_MS = 500;
/** Highest backoff ceiling (DESIGN §3). */
export const BACKOFF_CAP_MS = 8_000;
/** A server that asks for more than this is not waited for inside a call: the caller is told and decides. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Answers that may turn out well when asked again. */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Answers with which the server says that it did not act, so that even a reservation may be asked for again. */
const REFUSED_STATUSES: ReadonlySet<number> = new Set([401, 425, 429, 503]);

/** True if the server did not act on a request that it answered with this status. */
export function wasRefused(status: number): boolean {
  return REFUSED_STATUSES.has(status);
}

/** One failed attempt, reduced to what the decision needs. */
export interface Failure {
  /** Status of the answer; undefined if there was none. */
  readonly status?: number | undefined;
  readonly delivered: Delivered;
  readonly retryAfterMs?: number | undefined;
}

/** What is known when deciding. */
export interface RetryState {
  readonly replay: ReplayClass;
  /** Retries already made for this call. */
  readonly retriesDone: number;
  readonly retries: number;
  /** Milliseconds left for the whole call. */
  readonly remainingMs: number;
  /** In [0, 1). */
  readonly random: number;
}

/** The decision, and in words why not. */
export type RetryDecision =
  | { readonly retry: true; readonly delayMs: number }
  | { readonly retry: false; readonly why: 'final' | 'replay' | 'exhausted' | 'retry-after' | 'deadline' };

/** Full jitter: anywhere between nothing and `min(cap, base × 2ⁿ)`. Spreads callers that failed together. */
export function backoffMs(retriesDone: number, random: number): number {
  return random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(retriesDone, 30));
}

/** Whether an operation of this class may be sent again after this failure. */
export function mayReplay(replay: ReplayClass, failure: Failure): boolean {
  switch (replay) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'if-not-delivered':
      return failure.status === undefined ? failure.delivered === 'no' : wasRefused(failure.status);
  }
}

/** Decides what follows a failed attempt. Pure: no clock, no dice of its own. */
export function decideRetry(failure: Failure, state: RetryState): RetryDecision {
  if (failure.status !== undefined && !RETRYABLE_STATUSES.has(failure.status))
    return { retry: false, why: 'final' };
  if (!mayReplay(state.replay, failure)) return { retry: false, why: 'replay' };
  if (state.retriesDone >= state.retries) return { retry: false, why: 'exhausted' };
  const asked = failure.retryAfterMs ?? 0;
  if (asked > MAX_RETRY_AFTER_MS) return { retry: false, why: 'retry-after' };
  // Never below our own backoff: `Retry-After: 0` to a hundred clients is an invitation to a stampede.
  const delayMs = Math.max(asked, backoffMs(state.retriesDone, state.random));
  if (delayMs >= state.remainingMs) return { retry: false, why: 'deadline' };
  return { retry: true, delayMs };
}
