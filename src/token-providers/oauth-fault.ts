import { AntennaConfigError } from '../errors/config.js';
import { CredentialError } from '../errors/credential.js';

/** The OAuth error codes of RFC 6749 §5.2 and RFC 8707, with what to do about each. */
const ADVICE: Readonly<Record<string, string>> = {
  invalid_client:
    'the client id, its secret or key is wrong, or the server wants another `authentication` (basic or post)',
  invalid_scope: 'a scope in `scope` is unknown to the server, or not allowed for this client',
  invalid_target: 'the `resource` is unknown to the server, or not allowed for this client',
  invalid_request: 'the server misses a parameter; several vendors want `audience`',
  unauthorized_client: 'this client may not use the client credentials grant: allow it at the server',
  unsupported_grant_type: 'the server does not offer the client credentials grant',
};

/** Puts an OAuth exchange's failure in words. The server's description is left out: it may quote what it was sent. */
export function explainOAuth(error: unknown, origin: string): CredentialError {
  if (error instanceof CredentialError) return error;
  if (error instanceof AntennaConfigError) return new CredentialError(error.message, { problem: 'invalid' });
  const status = field(error, 'status');
  // A 401 comes with a challenge in a header, and the library then reads that in place of the body.
  const reason = status === 401 ? 'invalid_client' : field(error, 'error');
  const known = Object.entries(ADVICE).find(([code]) => reason === code);
  const answered = typeof status === 'number' ? ` with status ${status}` : '';
  if (known)
    return new CredentialError(`The OAuth server ${origin} answered ${known[0]}${answered}: ${known[1]}`);
  const network = field(error instanceof Error ? error.cause : undefined, 'code') ?? field(error, 'code');
  const code = typeof network === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(network) ? ` (${network})` : '';
  if (code.startsWith(' (OAUTH_') || answered !== '') {
    return new CredentialError(
      `The OAuth server ${origin} answered what is no token response${answered}${code}: check \`issuer\` or \`tokenEndpoint\``,
    );
  }
  return new CredentialError(
    `The OAuth server ${origin} could not be reached${code}: check its address, DNS, proxy and certificate`,
  );
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
