import { apiKeyProblem, Credential, userTokenProblem, type Scheme } from './auth/credential.js';
import { Secret } from './auth/secret.js';
import type { TokenScheme } from './auth/token-provider.js';
import type { AntennaClientOptions } from './client-options.js';
import { AntennaConfigError, type ConfigIssue } from './errors/config.js';
import type { Dialect } from './resources/core.js';

/** Environment variables. */
export type Env = Readonly<Record<string, string | undefined>>;

/** An option beats the environment; of the environment a key beats a token, as the newer of the two. */
export function readCredential(
  options: AntennaClientOptions,
  env: Env,
  issues: ConfigIssue[],
): Credential | undefined {
  const given = (['apiKey', 'token', 'header', 'credentials', 'tokenProvider'] as const).filter(
    (name) => options[name] !== undefined,
  );
  if (given.length > 1) {
    issues.push({ path: given.join(', '), message: 'exclude each other: give one credential' });
    return undefined;
  }
  if (options.header) return build('header', issues, () => headerCredential(options.header));
  if (options.credentials || options.tokenProvider) return undefined;
  const fromOptions = given.length === 1;
  const apiKey =
    reveal(options.apiKey) ??
    (fromOptions ? undefined : fromEnv(env, 'ANTENNA_API_KEY', 'AMI_ANTENNA_API_KEY'));
  if (apiKey !== undefined) {
    return build('apiKey', issues, () => Credential.apiKey(apiKey), apiKeyProblem(apiKey));
  }
  const token =
    reveal(options.token) ??
    (fromOptions ? undefined : fromEnv(env, 'ANTENNA_API_AUTH_TOKEN', 'AMI_ANTENNA_API_AUTH_TOKEN'));
  return token === undefined
    ? undefined
    : build('token', issues, () => Credential.token(token), userTokenProblem(token));
}

function headerCredential(header: AntennaClientOptions['header']): Credential {
  return Credential.header(header?.name ?? '', reveal(header?.value) ?? '', header?.prefix);
}

function build(
  path: string,
  issues: ConfigIssue[],
  create: () => Credential,
  problem?: string,
): Credential | undefined {
  if (problem !== undefined) {
    issues.push({ path, message: problem });
    return undefined;
  }
  try {
    return create();
  } catch (error) {
    if (!(error instanceof AntennaConfigError)) throw error;
    issues.push(
      ...error.issues.map((issue) => ({ ...issue, path: issue.path === 'credential' ? path : issue.path })),
    );
    return undefined;
  }
}

/** Which dialect a scheme belongs to, if to one alone. */
export function dialectOf(scheme: Scheme | TokenScheme | undefined): Dialect | undefined {
  if (scheme === 'Api-Key') return 'api-key';
  return scheme === 'Token' ? 'token' : undefined;
}

function reveal(value: string | Secret | undefined): string | undefined {
  return value instanceof Secret ? value.reveal() : value;
}

/** The first variable that is set and not blank. */
export function fromEnv(env: Env, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = env[name]?.trim();
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}
