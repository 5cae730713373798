import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

/** An OAuth 2 server with one client. */
export interface Issuer {
  readonly url: string;
  readonly counts: { issued: number };
  /** Whether a token is one of this server's, and still good. */
  knows(token: string): Promise<boolean>;
  close(): Promise<void>;
}

export async function startIssuer(
  client: { readonly id: string; readonly secret: string },
  lifetimeSeconds: number,
): Promise<Issuer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(url, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true } },
    ttl: { ClientCredentials: lifetimeSeconds },
  });
  const counts = { issued: 0 };
  provider.on('grant.success', () => {
    counts.issued += 1;
  });
  const handle = provider.callback();
  server.on('request', (request, response) => {
    void handle(request, response);
  });
  return {
    url,
    counts,
    knows: async (token) => (await provider.ClientCredentials.find(token)) !== undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
