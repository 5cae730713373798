import { AntennaAbortError } from '../errors/connection.js';
import { CredentialError } from '../errors/credential.js';
import { late } from '../time/late.js';

const faults = late(() => import('./provider-fault.js'));

/**
 * Whatever a source throws may hold a secret, or look like an answer of this server: it leaves as a CredentialError. How to tell of it without
 * its words is loaded with the first of them; a token provider that is fit for use never fails.
 */
export async function credentialFault(thrown: unknown): Promise<Error> {
  if (thrown instanceof AntennaAbortError || thrown instanceof CredentialError) return thrown;
  return (await faults()).toCredentialError(thrown);
}
