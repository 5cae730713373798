import { late } from '../time/late.js';
import type { CredentialSource } from './source.js';
import type { TokenSource, TokenSourceOptions } from './token-source.js';

/** Once for all clients. */
const implementation = late(() => import('./token-source.js'));

/** A {@link TokenSource} that is loaded with the first request: a client with a key, as most are, never needs it. */
export function lateTokenSource(options: TokenSourceOptions): CredentialSource {
  let source: TokenSource | undefined;
  let closed = false;
  const load = async (): Promise<TokenSource> => {
    const { TokenSource } = await implementation();
    if (source === undefined) {
      source = new TokenSource(options);
      if (closed) source.close();
    }
    return source;
  };
  return {
    get: (request) =>
      source === undefined
        ? load().then((loaded) => {
            request.signal.throwIfAborted();
            return loaded.get(request);
          })
        : source.get(request),
    health: () =>
      source?.health() ?? {
        mode: 'unknown',
        expiresAt: undefined,
        lastRefreshAt: undefined,
        failures: 0,
        nextRefreshAt: undefined,
      },
    close() {
      closed = true;
      source?.close();
    },
  };
}
