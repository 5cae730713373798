import { Credential } from '../auth/credential.js';
import type { CredentialRequest, CredentialSource } from '../auth/source.js';

/** Stands for "no credential" in keys; no fingerprint looks like it. */
const NOBODY = 'anonymous';

/** Who a credential is, without being it. */
export function fingerprintOf(credential: Credential | undefined): string {
  return credential === undefined ? NOBODY : Credential.fingerprint(credential);
}

/**
 * A source that answers first with the credential by which the key was made, so that what is kept under a key was asked for with its
 * credential, and a provider is asked once for a call. After a 401 the real source has the word.
 */
export function pinned(credential: Credential | undefined, source: CredentialSource): CredentialSource {
  return {
    get: (request: CredentialRequest) => (request.reason === 'initial' ? credential : source.get(request)),
  };
}
