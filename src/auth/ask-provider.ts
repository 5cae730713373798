import { CredentialError } from '../errors/credential.js';
import { AntennaTimeoutError } from '../errors/connection.js';
import type { Clock } from '../time/clock.js';
import { Deadline } from '../time/deadline.js';
import { toCredentialError } from './provider-fault.js';
import { readAnswer, type CheckedToken } from './token-answer.js';
import type { TokenProvider, TokenReason, TokenScheme } from './token-provider.js';

/** What is the same for every call of one provider. */
export interface ProviderCall {
  readonly provider: TokenProvider;
  readonly clock: Clock;
  /** Milliseconds for one call. */
  readonly timeoutMs: number;
  readonly scheme: TokenScheme | undefined;
}

/**
 * Calls a provider once, whatever it does: answer at once, throw, reject, hang, or answer nonsense.
 * @param signal - the request's own, for a provider asked per request; of a shared refresh the client's closing.
 * @throws CredentialError in every case but the abort of `signal`, which is an AntennaAbortError.
 */
export async function askProvider(
  call: ProviderCall,
  ask: {
    readonly reason: TokenReason;
    readonly signal: AbortSignal;
    readonly previousExpiresAt?: Date | undefined;
  },
): Promise<CheckedToken> {
  const { clock, timeoutMs } = call;
  const deadline = new Deadline({ clock, timeoutMs, signal: ask.signal });
  try {
    deadline.throwIfEnded();
    const answer = await deadline.race(
      call.provider({
        reason: ask.reason,
        signal: deadline.signal,
        ...(ask.previousExpiresAt ? { previousExpiresAt: ask.previousExpiresAt } : {}),
      }),
    );
    return readAnswer(answer, clock.wallNow(), call.scheme);
  } catch (error) {
    // After an abort a well-behaved provider throws it too, in a form of its own; the deadline knows why.
    const why = deadline.reason;
    if (!why) throw toCredentialError(error);
    if (!(why instanceof AntennaTimeoutError) || ask.signal.aborted) throw why;
    throw new CredentialError(
      `The token provider did not answer within ${timeoutMs} ms: check that its issuer can be reached (limit: tokenTimeoutMs)`,
      { problem: 'timeout' },
    );
  } finally {
    deadline.dispose();
  }
}
