import type { CredentialHealth } from './credential-health.js';
import { Credential } from './credential.js';
import { checkArguments } from '../errors/arguments.js';

/** Why a credential is asked for. */
export interface CredentialRequest {
  /** `rejected`: the server answered 401 to the credential handed out last. */
  readonly reason: 'initial' | 'rejected';
  /** The credential that was refused, with `reason: 'rejected'`. */
  readonly rejected?: Credential | undefined;
  /** Aborts when the call no longer needs the answer. A shared refresh must not die of it. */
  readonly signal: AbortSignal;
}

/**
 * The seam for token providers. The request path asks it once for every request, and once more after a 401.
 *
 * With `rejected`, answering the very credential that was refused (or undefined) means "nothing newer": the 401 stands.
 */
export interface CredentialSource {
  get(request: CredentialRequest): Credential | undefined | Promise<Credential | undefined>;
  /** How it is doing, for `client.credentialHealth`; nothing secret. */
  health?(): CredentialHealth | undefined;
  /** The client closes: end what runs in the background. */
  close?(): void;
}

/**
 * A source that always answers the same credential, or none.
 * @throws AntennaConfigError for anything else: a text would be sent as no header at all.
 */
export function staticSource(credential: Credential | undefined): CredentialSource {
  if (credential !== undefined)
    checkArguments(
      { credential },
      { credential: (value) => (value instanceof Credential ? undefined : 'must be a Credential') },
    );
  return { get: () => credential };
}
