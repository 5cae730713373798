import type { Delivered } from '../errors/base.js';

/** Code and text of an unknown error, looking one level into `cause` as `fetch` hides the real one there. */
export function describeFailure(error: unknown): { reason: string; code: string | undefined } {
  const chain = [error, error instanceof Error ? error.cause : undefined];
  const codes = chain.map((link) =>
    typeof link === 'object' && link !== null && 'code' in link && typeof link.code === 'string'
      ? link.code
      : undefined,
  );
  const code = codes.find((candidate) => candidate !== undefined);
  const inner = chain.filter((link): link is Error => link instanceof Error).at(-1);
  const text = inner === undefined || inner.message === '' ? String(error) : inner.message;
  return { reason: code === undefined || text.includes(code) ? text : `${text} (${code})`, code };
}

/** True for the codes of a connection that the other side had closed: nearly always the server's idle timeout. */
export function isBrokenConnection(code: string | undefined): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
}

/** Codes with which no byte of the request can have reached the server. */
const NOT_DELIVERED = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'],
  ...[
    'UND_ERR_CONNECT_TIMEOUT',
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
  ],
  ...[
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'UND_ERR_INVALID_ARG',
    'ERR_INVALID_ARG_VALUE',
  ],
]);

/** Delivery certainty from an error code, for transports that cannot see the socket. */
export function deliveredFromCode(code: string | undefined): Delivered {
  return code !== undefined && NOT_DELIVERED.has(code) ? 'no' : 'unknown';
}
