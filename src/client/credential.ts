import { apiKeyProblem, Credential, userTokenProblem, type Scheme } from '../auth/credential.js';
import { Secret } from '../auth/secret.js';
import type { TokenScheme } from '../auth/token-provider.js';
import type { AntennaClientOptions } from './options.js';
import { AntennaConfigError, type ConfigIssue } from '../errors/config.js';
import type { Dialect } from '../resources/core.js';

/** Environment variables. */
export type Env = Readonly<Record<string, string | undefined>>;

/** A value, and how an error says where it came from. */
export interface Setting {
  readonly text: string;
  readonly from: string;
}

/**
 * An option beats the environment; of the environment a key beats a token, as the newer of the two, unless the option `dialect` says
 * that the server would ignore a key (trap T7).
 */
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
  if (options.apiKey !== undefined) return keyCredential({ text: reveal(options.apiKey), from: '' }, issues);
  if (options.token !== undefined) return tokenCredential({ text: reveal(options.token), from: '' }, issues);
  const key = fromEnv(env, 'ANTENNA_API_KEY', 'AMI_ANTENNA_API_KEY');
  const token = fromEnv(env, 'ANTENNA_API_AUTH_TOKEN', 'AMI_ANTENNA_API_AUTH_TOKEN');
  const keyFits = options.dialect !== 'token' || token === undefined;
  if (key !== undefined && keyFits) return keyCredential(key, issues);
  return token === undefined ? undefined : tokenCredential(token, issues);
}

function keyCredential({ text, from }: Setting, issues: ConfigIssue[]): Credential | undefined {
  return build('apiKey', issues, () => Credential.apiKey(text), apiKeyProblem(text), from);
}

function tokenCredential({ text, from }: Setting, issues: ConfigIssue[]): Credential | undefined {
  return build('token', issues, () => Credential.token(text), userTokenProblem(text), from);
}

function headerCredential(header: AntennaClientOptions['header']): Credential {
  return Credential.header(header?.name ?? '', reveal(header?.value ?? ''), header?.prefix);
}

function build(
  path: string,
  issues: ConfigIssue[],
  create: () => Credential,
  problem?: string,
  from = '',
): Credential | undefined {
  if (problem !== undefined) {
    issues.push({ path, message: from + problem });
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

function reveal(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value;
}

/** The first variable that is set and not blank. */
export function fromEnv(env: Env, ...names: string[]): Setting | undefined {
  for (const name of names) {
    const text = env[name]?.trim();
    if (text !== undefined && text !== '') return { text, from: `(from ${name}) ` };
  }
  return undefined;
}
