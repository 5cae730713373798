import { CredentialError } from '../errors/credential.js';

/** What a credential command printed. */
export interface PrintedToken {
  readonly token: string;
  readonly expiresAt: string | number | undefined;
}

/**
 * Reads a credential command's output: a token alone, or JSON with `token` (or `access_token`) and `expiresAt`, `expires_at` (ISO text; a
 * number is Unix seconds below 10¹¹ and milliseconds above) or `expires_in` (seconds). A Kubernetes `ExecCredential` is
 * read as well. Messages never quote it.
 */
export function readOutput(output: string, startedAtMs: number): PrintedToken {
  const text = output.trim();
  if (text === '') throw new CredentialError('The token command printed nothing', { problem: 'invalid' });
  if (!text.startsWith('{')) return { token: text, expiresAt: undefined };
  const fields = parse(text);
  const status = fields['status'];
  const source = isObject(status) ? status : fields;
  const token = source['token'] ?? source['access_token'];
  if (typeof token !== 'string' || token === '') {
    throw new CredentialError('The token command printed JSON without a `token`', { problem: 'invalid' });
  }
  return { token, expiresAt: readEnd(source, startedAtMs) };
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // The parser's message quotes the text.
  }
  throw new CredentialError('The token command printed something that begins as JSON and is not', {
    problem: 'invalid',
  });
}

function readEnd(source: Record<string, unknown>, startedAtMs: number): string | number | undefined {
  const lifetime = source['expires_in'] ?? source['expiresIn'];
  if (lifetime !== undefined) {
    const seconds = Number(lifetime);
    if (Number.isFinite(seconds) && seconds > 0) return startedAtMs + seconds * 1_000;
    throw new CredentialError('The token command printed an `expires_in` that is no number of seconds', {
      problem: 'invalid',
    });
  }
  const end = source['expiresAt'] ?? source['expires_at'] ?? source['expirationTimestamp'];
  // Programs print seconds as often as milliseconds; no time of today is both.
  if (typeof end === 'number') return end < 100_000_000_000 ? end * 1_000 : end;
  if (typeof end === 'string' || end === undefined) return end;
  throw new CredentialError('The token command printed an end that is neither text nor number', {
    problem: 'invalid',
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
