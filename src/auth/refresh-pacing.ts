import { CredentialError } from '../errors/credential.js';
import { failurePauseMs, repeatPauseMs } from './refresh-policy.js';

/** A rejection this long after the one before starts a new count. */
const REJECTION_MEMORY_MS = 120_000;

/** When the provider may be asked again, and what it failed with. All times are monotonic. */
export class RefreshPacing {
  readonly #random: () => number;
  #failures = 0;
  #lastError: CredentialError | undefined;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #repeatUntilMs = Number.NEGATIVE_INFINITY;
  #rejections = 0;
  #rejectedAtMs = Number.NEGATIVE_INFINITY;
  #rejectAgainAtMs = Number.NEGATIVE_INFINITY;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Failed tries in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Before this, no refresh begins while a token serves. */
  get refreshNotBeforeMs(): number {
    return Math.max(this.#retryAtMs, this.#repeatUntilMs);
  }

  /** After a good answer. @param repeated - it was the token, or the end, that was known already. */
  onAnswer(nowMs: number, leftMs: number, repeated: boolean): void {
    this.#failures = 0;
    this.#lastError = undefined;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
    this.#repeatUntilMs = repeated ? nowMs + repeatPauseMs(leftMs, this.#random()) : Number.NEGATIVE_INFINITY;
  }

  /** After a failed try. @returns the error for those who waited, telling when the next try is. */
  onFailure(nowMs: number, error: CredentialError): CredentialError {
    this.#failures += 1;
    this.#lastError = error;
    this.#retryAtMs = nowMs + failurePauseMs(this.#failures, this.#random());
    return this.#withPause(error, nowMs);
  }

  /** The error for a request that needs the provider while it is left alone; undefined if it may be asked. */
  holdsBack(nowMs: number): CredentialError | undefined {
    if (nowMs >= this.#retryAtMs || this.#lastError === undefined) return undefined;
    return this.#withPause(this.#lastError, nowMs);
  }

  /** Whether a 401 may ask the provider now. */
  mayReplace(nowMs: number): boolean {
    return nowMs >= this.#rejectAgainAtMs;
  }

  /**
   * A 401 leads to a refresh: the next one may do so only after a pause. Without it, an issuer whose every new token is refused is
   * asked once for each request.
   */
  onRejection(nowMs: number): void {
    if (nowMs - this.#rejectedAtMs > REJECTION_MEMORY_MS) this.#rejections = 0;
    this.#rejections += 1;
    this.#rejectedAtMs = nowMs;
    this.#rejectAgainAtMs = nowMs + failurePauseMs(this.#rejections, this.#random());
  }

  #withPause(error: CredentialError, nowMs: number): CredentialError {
    const retryAfterMs = Math.max(0, Math.ceil(this.#retryAtMs - nowMs));
    const tries = this.#failures === 1 ? 'once' : `${this.#failures} times in a row`;
    return new CredentialError(
      `${error.message} (failed ${tries}; asked again in ${(retryAfterMs / 1_000).toFixed(1)} s)`,
      { problem: error.problem, retryAfterMs },
    );
  }
}
