import { CredentialError, type TokenProvider } from 'antenna-sdk';
import { z } from 'zod';

const answerSchema = z.object({ token: z.string(), expires_at: z.string() });

/** A provider that asks a token service at `url`. */
export function cachedToken(url: string): TokenProvider {
  return async ({ reason, signal }) => {
    const response = await fetch(url, {
      // The server refused what the cache holds: only the issuer can help.
      headers: reason === 'rejected' ? { 'cache-control': 'no-cache' } : {},
      signal,
    });
    // Anything else that is thrown here is withheld from logs, as it may hold a secret; these words are ours.
    if (!response.ok) throw new CredentialError(`The token service answered ${response.status}`);
    const { token, expires_at } = answerSchema.parse(await response.json());
    return { token, expiresAt: expires_at };
  };
}
