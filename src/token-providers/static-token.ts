import { checkArguments, checkOptions, either, isA, isText } from '../errors/arguments.js';
import { Secret } from '../auth/secret.js';
import type { TokenProvider, TokenScheme } from '../auth/token-provider.js';
import { isScheme } from '../auth/token-scheme.js';

/**
 * A provider that always answers the same token. For code that takes a provider; a client's own `apiKey` or `token` does the same with
 * better checks.
 * @throws AntennaConfigError when it is no text and no `Secret`, or an option is wrong.
 */
export function staticToken(
  token: string | Secret,
  options: { readonly scheme?: TokenScheme } = {},
): TokenProvider {
  checkArguments({ token }, { token: either('must be a text or a Secret', isText, isA(Secret)) });
  checkOptions('Invalid staticToken options', options, { scheme: isScheme });
  const secret = token instanceof Secret ? token : new Secret(token);
  return Object.assign(() => secret, { scheme: options.scheme });
}
