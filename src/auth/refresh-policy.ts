/** An issuer that repeats a token is left alone for at least this long. Google's answers the same one until 30 s before its end. */
export const REPEAT_PAUSE_MS = 10_000;
/** Pause after the first failed try; doubles with each further one. */
const FAILURE_BASE_MS = 1_000;
/** Longest pause after a failed try: recovery is noticed within this time. */
export const FAILURE_CAP_MS = 30_000;

/** A token's times, on the monotonic and on the wall clock. */
export interface TokenTimes {
  /** Monotonic time of its arrival. */
  readonly receivedAtMs: number;
  /** Milliseconds between arrival and end. */
  readonly lifetimeMs: number;
  /** Its end on the wall clock. */
  readonly expiresAtMs: number;
}

/** Now, on both clocks. */
export interface Now {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * Milliseconds until the token ends. The earlier of both clocks' answers: the monotonic clock stands still while the machine
 * sleeps, the wall clock may be set back.
 */
export function remainingMs(times: TokenTimes, now: Now): number {
  return Math.min(times.receivedAtMs + times.lifetimeMs - now.monotonicMs, times.expiresAtMs - now.wallMs);
}

/**
 * How long before its end a token is renewed. A fixed window that is longer than the lifetime means a refresh with every request
 * (measured: 40 exchanges in 50 requests, CLIENT §1.5).
 */
export function windowMs(lifetimeMs: number, optionMs: number): number {
  return Math.min(optionMs, lifetimeMs / 3);
}

/** What a request does with the token in hand. */
export type Use = 'serve' | 'serve-and-refresh' | 'wait';

/**
 * Decides whether a request may go with the token, and whether a refresh begins beside it.
 * @param notBeforeMs - monotonic time before which the provider is left alone.
 */
export function decideUse(times: TokenTimes, now: Now, optionMs: number, notBeforeMs: number): Use {
  const leftMs = remainingMs(times, now);
  if (leftMs <= 0) return 'wait';
  const due = leftMs <= windowMs(times.lifetimeMs, optionMs) && now.monotonicMs >= notBeforeMs;
  return due ? 'serve-and-refresh' : 'serve';
}

/**
 * Pause after the issuer repeated the token or its end: half of what is left, at least ten seconds, up to a tenth more so that
 * a fleet does not come back together.
 * @param random - in [0, 1).
 */
export function repeatPauseMs(leftMs: number, random: number): number {
  return Math.max(REPEAT_PAUSE_MS, leftMs / 2) * (1 + random / 10);
}

/**
 * Pause after `failures` failed tries in a row: 1 s, 2 s, 4 s … 30 s, of which a random half is taken off. Never nothing, as full jitter
 * could be: the pause is all that stands between a failing issuer and every request of the client.
 * @param random - in [0, 1).
 */
export function failurePauseMs(failures: number, random: number): number {
  const ceiling = Math.min(FAILURE_CAP_MS, FAILURE_BASE_MS * 2 ** Math.min(Math.max(0, failures - 1), 30));
  return ceiling * (0.5 + random / 2);
}
