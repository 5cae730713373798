import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  AntennaConfigError,
  clientCredentials,
  CredentialError,
  type ClientCredentialsOptions,
} from 'antenna-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Credential } from '../../src/auth/credential.js';
import { readAnswer } from '../../src/auth/token-answer.js';
import { RESOURCE, SECRET, startOAuthServer, type OAuthServer } from '../support/oauth-server.js';

let server: OAuthServer;
beforeAll(async () => {
  server = await startOAuthServer();
});
afterAll(() => server.close());

async function exchange(options: Partial<ClientCredentialsOptions>) {
  const provider = clientCredentials({
    issuer: server.issuer,
    clientId: 'basic',
    clientSecret: SECRET,
    ...options,
  });
  const answer = await provider({ reason: 'initial', signal: AbortSignal.timeout(10_000) });
  const { credential, expiresAtMs } = readAnswer(answer, Date.now(), provider.scheme);
  return { credential, secret: Credential.open(credential).secret, inMs: (expiresAtMs ?? 0) - Date.now() };
}
const failure = async (options: Partial<ClientCredentialsOptions>): Promise<CredentialError> => {
  const error: unknown = await exchange(options).catch((thrown: unknown) => thrown);
  if (error instanceof CredentialError) return error;
  throw new Error('no CredentialError', { cause: error });
};

describe('clientCredentials against a real OAuth 2 server', () => {
  it('gets a token by client secret, found through the issuer’s metadata, with its end', async () => {
    const { credential, secret, inMs } = await exchange({});
    expect(credential.scheme).toBe('Bearer');
    expect(secret.length).toBeGreaterThan(20);
    expect(inMs).toBeGreaterThan(590_000);
    expect(inMs).toBeLessThanOrEqual(600_000);
  });

  it('sends the secret in the body for a client that is set up so', async () => {
    expect((await exchange({ clientId: 'post', authentication: 'post' })).secret).not.toBe('');
  });

  it('signs an assertion with a private key in PEM', async () => {
    const provider = clientCredentials({
      issuer: server.issuer,
      clientId: 'signed',
      privateKey: server.privateKeyPem,
      keyId: 'worker-1',
    });
    const answer = await provider({ reason: 'initial', signal: AbortSignal.timeout(10_000) });
    expect(readAnswer(answer, Date.now(), 'Bearer').expiresAtMs).toBeGreaterThan(Date.now());
  });

  it('gets a token for a resource and a scope', async () => {
    const { secret } = await exchange({ resource: RESOURCE, scope: 'work' });
    const claims: unknown = JSON.parse(Buffer.from(secret.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ aud: RESOURCE, scope: 'work', client_id: 'basic' });
  });

  it('works without metadata, and reads them once only', async () => {
    const provider = clientCredentials({
      tokenEndpoint: `${server.issuer}/token`,
      clientId: 'basic',
      clientSecret: SECRET,
    });
    const before = server.requests.length;
    await provider({ reason: 'initial', signal: AbortSignal.timeout(10_000) });
    expect(server.requests.slice(before)).toEqual(['/token']);
    const found = clientCredentials({ issuer: server.issuer, clientId: 'basic', clientSecret: SECRET });
    const start = server.requests.length;
    await found({ reason: 'initial', signal: AbortSignal.timeout(10_000) });
    await found({ reason: 'expiring', signal: AbortSignal.timeout(10_000) });
    expect(server.requests.slice(start)).toEqual(['/.well-known/openid-configuration', '/token', '/token']);
  });

  it.each([
    [
      'a wrong secret',
      { clientSecret: 'wrong-secret-wrong-secret' },
      /invalid_client with status 401: the client id/,
    ],
    ['an unknown client', { clientId: 'nobody' }, /invalid_client/],
    ['a scope that the client may not have', { scope: 'admin' }, /invalid_scope with status 400/],
    ['a page that is not there', { issuer: '/nowhere' }, /no token response/],
  ])('says what is wrong with %s, without the secret', async (_, options, message) => {
    const issuer = 'issuer' in options ? { issuer: server.issuer + options.issuer } : {};
    const error = await failure({ ...options, ...issuer });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain(SECRET.slice(0, 12));
    expect(error.message).not.toContain('wrong-secret');
  });

  it('says when nobody listens, and when the answer is a web page', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    expect((await failure({ issuer: `http://127.0.0.1:${port}` })).message).toMatch(/ECONNREFUSED/);
    const page = () =>
      Promise.resolve(new Response('<h1>Sign in</h1>', { headers: { 'content-type': 'text/html' } }));
    expect((await failure({ fetch: page })).message).toMatch(/no token response/);
  });

  it('refuses options that cannot work, all at once', () => {
    expect(() => clientCredentials({ clientId: '' })).toThrow(AntennaConfigError);
    expect(() => clientCredentials({ clientId: '' })).toThrow(
      /issuer, tokenEndpoint.*clientId.*clientSecret, privateKey/,
    );
    const plain = { issuer: 'http://issuer.example.org', clientId: 'a', clientSecret: 'b' };
    expect(() => clientCredentials(plain)).toThrow(/unencrypted/);
    expect(() => clientCredentials({ ...plain, allowInsecureHttp: true })).not.toThrow();
  });

  it('refuses a key that is none, without quoting it', async () => {
    const { message } = await failure({
      privateKey: '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----',
    });
    expect(message).toMatch(/privateKey: is not a private key in PEM/);
    expect(message).not.toMatch(/MIGHAgEA/);
  });
});
