import { channel } from 'node:diagnostics_channel';
import type { CredentialProblem } from '../errors/credential.js';
import type { TokenReason } from './token-provider.js';

/**
 * What a provider turned out to be: not asked yet (`unknown`); its tokens carry an end and are `shared` by the client's requests; or its
 * plain strings are asked for `per-request`. It never goes back from `per-request`: a token may then belong to one tenant.
 */
export type TokenMode = 'unknown' | 'shared' | 'per-request';

/** How a client's token provider is doing. Holds no secret. */
export interface CredentialHealth {
  readonly mode: TokenMode;
  /** End of the token in use. */
  readonly expiresAt: Date | undefined;
  /** When the provider last gave a usable token. */
  readonly lastRefreshAt: Date | undefined;
  /** Failed calls in a row; 0 after the first good one. */
  readonly failures: number;
  /** From when on the next request starts a refresh. There is no timer: an idle client asks nobody. */
  readonly nextRefreshAt: Date | undefined;
}

/** Names of the `node:diagnostics_channel` channels about tokens; each message is a {@link CredentialEvent}. */
export const CREDENTIAL_CHANNELS = {
  /** The provider gave a usable token. */
  refresh: 'antenna-sdk:credential:refresh',
  /** The provider failed. */
  failure: 'antenna-sdk:credential:failure',
} as const;

/** What the channels carry; never a token. */
export interface CredentialEvent {
  readonly reason: TokenReason;
  readonly durationMs: number;
  readonly expiresAt?: Date | undefined;
  /** The issuer gave the token, or the end, that it had given before. */
  readonly repeated?: boolean | undefined;
  readonly problem?: CredentialProblem | undefined;
  /** Failed calls in a row. */
  readonly failures: number;
}

const channels = {
  refresh: channel(CREDENTIAL_CHANNELS.refresh),
  failure: channel(CREDENTIAL_CHANNELS.failure),
};

/** Publishes an event if anybody listens. */
export function publishCredential(kind: keyof typeof channels, build: () => CredentialEvent): void {
  if (channels[kind].hasSubscribers) channels[kind].publish(build());
}
