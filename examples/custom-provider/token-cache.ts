import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A company's token service, as far as the example needs one. */
export interface TokenCache {
  readonly url: string;
  /** Requests it had, and how many of them went past the cache to the issuer. */
  readonly counts: { asked: number; issued: number };
  close(): Promise<void>;
}

/** Tokens are good for this long. */
const LIFETIME_MS = 3_600_000;
/** After this the cached token is stale: it is given out once more while a new one is fetched. */
const FRESH_MS = 200;

/** Answers from its cache at once, stale or not, and renews a stale entry behind the answer; `no-cache` goes to the issuer. */
export async function startTokenCache(issue: () => string): Promise<TokenCache> {
  const counts = { asked: 0, issued: 0 };
  const fetchToken = () => {
    counts.issued += 1;
    const now = Date.now();
    return { token: issue(), expires_at: new Date(now + LIFETIME_MS).toISOString(), fetchedAt: now };
  };
  let cached = fetchToken();
  const server = createServer((request, response) => {
    counts.asked += 1;
    if (request.headers['cache-control'] === 'no-cache') cached = fetchToken();
    const { token, expires_at, fetchedAt } = cached;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ token, expires_at }));
    if (Date.now() - fetchedAt > FRESH_MS) cached = fetchToken();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/tokens/antenna`,
    counts,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
