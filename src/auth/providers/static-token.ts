import { Secret } from '../secret.js';
import type { TokenProvider, TokenScheme } from '../token-provider.js';

/**
 * A provider that always answers the same token. For code that takes a provider; a client's own `apiKey` or `token` does the same with
 * better checks.
 */
export function staticToken(
  token: string | Secret,
  options: { readonly scheme?: TokenScheme } = {},
): TokenProvider {
  const secret = token instanceof Secret ? token : new Secret(token);
  return Object.assign(() => secret, { scheme: options.scheme });
}
