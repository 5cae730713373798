import { CredentialError } from '../errors/credential.js';
import { checkArguments, isEnvironment, isText } from '../errors/arguments.js';
import { Secret } from '../auth/secret.js';
import type { TokenProvider } from '../auth/token-provider.js';

/**
 * A provider that reads an environment variable with every request, so that a program may change it while it runs. White space around
 * the value is dropped: shells and compose files leave some.
 *
 * @param name - of the variable.
 * @param env - default `process.env`.
 * @throws AntennaConfigError when the name is none.
 */
export function envToken(
  name: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): TokenProvider {
  checkArguments({ name, env }, { name: isText, env: isEnvironment });
  return () => {
    const token = env[name]?.trim();
    if (token) return new Secret(token);
    const state = env[name] === undefined ? 'is not set' : 'is empty';
    throw new CredentialError(
      `The environment variable ${name} ${state}: set it to an API key or a token before the program starts`,
    );
  };
}
