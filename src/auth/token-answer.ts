import { AntennaConfigError } from '../errors/config.js';
import { CredentialError } from '../errors/credential.js';
import type { Credential } from './credential.js';
import { Secret } from './secret.js';
import type { TokenScheme } from './token-provider.js';
import { credentialFor, isScheme } from './token-scheme.js';

/** A provider's answer after checks. Without `expiresAtMs` it serves one request. */
export interface CheckedToken {
  readonly credential: Credential;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAtMs: number | undefined;
}

/** Times before 1973 in milliseconds are times of today in seconds: the usual mistake with a JWT's `exp`. */
const LOOKS_LIKE_SECONDS = 100_000_000_000;
const ISO_WITH_ZONE = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/i;

/**
 * Checks what a provider answered. No message quotes any part of it.
 * @throws CredentialError saying what is wrong with it.
 */
export function readAnswer(
  answer: unknown,
  wallNowMs: number,
  defaultScheme: TokenScheme | undefined,
): CheckedToken {
  const fields = typeof answer === 'object' && answer !== null && !(answer instanceof Secret) ? answer : null;
  const token = readToken(fields === null ? answer : (fields as { token?: unknown }).token, fields !== null);
  const expiresAt = (fields as { expiresAt?: unknown } | null)?.expiresAt;
  const expiresAtMs = expiresAt === undefined ? undefined : readExpiry(expiresAt);
  if (expiresAtMs !== undefined && expiresAtMs <= wallNowMs) {
    throw new CredentialError(
      `The token provider gave a token that ended ${seconds(wallNowMs - expiresAtMs)} ago: ` +
        "check the issuer's cache, and the clocks of both machines",
      { problem: 'expired' },
    );
  }
  const scheme = (fields as { scheme?: TokenScheme } | null)?.scheme ?? defaultScheme;
  return { credential: makeCredential(token, scheme), expiresAtMs };
}

function readToken(value: unknown, fromObject: boolean): string {
  const token = value instanceof Secret ? value.reveal() : value;
  if (typeof token === 'string' && token !== '') return token;
  const where = fromObject ? 'an object whose `token` is' : 'not a token but';
  const what = token === '' ? 'an empty text' : token === null ? 'null' : describeType(token);
  throw invalid(`The token provider gave ${where} ${what}: it must answer a string or { token, expiresAt }`);
}

function describeType(value: unknown): string {
  return value === undefined ? 'undefined (a forgotten `return`?)' : `of type ${typeof value}`;
}

function readExpiry(value: unknown): number {
  if (typeof value === 'string' && !ISO_WITH_ZONE.test(value)) {
    throw invalid(
      'The token provider gave an `expiresAt` that is no ISO 8601 time with a zone, such as 2026-05-01T12:00:00Z',
    );
  }
  const time =
    typeof value === 'string' ? Date.parse(value) : value instanceof Date ? value.getTime() : value;
  if (typeof time !== 'number' || !Number.isFinite(time)) {
    throw invalid(
      'The token provider gave an `expiresAt` that is no time: it must be a Date, milliseconds or an ISO text',
    );
  }
  if (time < LOOKS_LIKE_SECONDS && time > 0) {
    throw invalid(
      'The token provider gave an `expiresAt` before 1973, which is seconds: give milliseconds (× 1000)',
    );
  }
  return time;
}

function makeCredential(token: string, scheme: TokenScheme | undefined): Credential {
  if (scheme !== undefined && isScheme(scheme) !== undefined)
    throw invalid(
      'The token provider gave a `scheme` that is none: Api-Key, Token, Bearer or { header, prefix }',
    );
  try {
    return credentialFor(token, scheme);
  } catch (error) {
    if (!(error instanceof AntennaConfigError)) throw error;
    const problems = error.issues.map(({ path, message }) => `${path} ${message}`).join('; ');
    throw invalid(`The token provider gave a token that cannot be sent: ${problems}`);
  }
}

function invalid(message: string): CredentialError {
  return new CredentialError(message, { problem: 'invalid' });
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
