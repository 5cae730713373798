import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type Configuration } from 'oidc-provider';

export const RESOURCE = 'https://antenna.example.org';
export const SECRET = 'not-a-secret-worth-keeping-00000000';

/** A real OAuth 2 server on loopback, with a client for each way to prove oneself. */
export interface OAuthServer {
  readonly issuer: string;
  readonly privateKeyPem: string;
  /** Path of each request, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

export async function startOAuthServer(lifetimeSeconds = 600): Promise<OAuthServer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const grant = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
  const configuration: Configuration = {
    clients: [
      {
        ...grant,
        client_id: 'basic',
        client_secret: SECRET,
        scope: 'work',
        token_endpoint_auth_method: 'client_secret_basic',
      },
      {
        ...grant,
        client_id: 'post',
        client_secret: SECRET,
        token_endpoint_auth_method: 'client_secret_post',
      },
      {
        ...grant,
        client_id: 'signed',
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'worker-1', use: 'sig' }] },
      },
    ],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    scopes: ['work', 'admin'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'work',
          accessTokenTTL: lifetimeSeconds,
          accessTokenFormat: 'jwt',
        }),
      },
    },
    ttl: { ClientCredentials: lifetimeSeconds },
  };
  const requests: string[] = [];
  const provider = new Provider(issuer, configuration);
  const handle = provider.callback();
  server.on('request', (request, response) => {
    requests.push(request.url ?? '');
    void handle(request, response);
  });
  return {
    issuer,
    requests,
    privateKeyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
