import { CredentialError } from '../../errors/credential.js';
import { Secret } from '../secret.js';
import type { TokenProvider } from '../token-provider.js';

/**
 * A provider that reads an environment variable with every request, so that a program may change it while it runs. White space around
 * the value is dropped: shells and compose files leave some.
 *
 * @param name - of the variable.
 * @param env - default `process.env`.
 */
export function envToken(
  name: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): TokenProvider {
  return () => {
    const token = env[name]?.trim();
    if (token) return new Secret(token);
    const state = env[name] === undefined ? 'is not set' : 'is empty';
    throw new CredentialError(
      `The environment variable ${name} ${state}: set it to an API key or a token before the program starts`,
    );
  };
}
