import { isObject, isOneOf, isText, type Check } from '../errors/arguments.js';
import { Credential } from './credential.js';
import { API_KEY_PATTERN, USER_TOKEN_PATTERN } from './secret.js';
import type { TokenScheme } from './token-provider.js';

/**
 * How a token is sent when nobody says: an API key by its form `prefix.secret` as `Api-Key`, 40 hexadecimal digits as `Token`, anything
 * else as `Bearer`. The forms are those of the contract (§2.1, §2.3) and cannot be mistaken for a JWT.
 */
function schemeOf(token: string): TokenScheme {
  if (API_KEY_PATTERN.test(token)) return 'Api-Key';
  return USER_TOKEN_PATTERN.test(token) ? 'Token' : 'Bearer';
}

const isWord = isOneOf('Api-Key', 'Token', 'Bearer');
/** A {@link TokenScheme}. */
export const isScheme: Check = (value) => {
  if (isWord(value) === undefined) return undefined;
  const { header, prefix } = (isObject(value) === undefined ? value : {}) as Readonly<
    Record<string, unknown>
  >;
  return isText(header) === undefined && (prefix === undefined || typeof prefix === 'string')
    ? undefined
    : "must be 'Api-Key', 'Token', 'Bearer' or { header, prefix }";
};

/**
 * Makes a credential of a token.
 * @throws AntennaConfigError if the token cannot stand in a header, or the header's name is not usable.
 */
export function credentialFor(token: string, scheme: TokenScheme = schemeOf(token)): Credential {
  switch (scheme) {
    case 'Api-Key':
      return Credential.apiKey(token);
    case 'Token':
      return Credential.token(token);
    case 'Bearer':
      return Credential.bearer(token);
    default:
      return Credential.header(scheme.header, token, scheme.prefix);
  }
}
