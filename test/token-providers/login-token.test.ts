import { AntennaClient, AntennaConfigError, loginToken, silentLogger, type FetchLike } from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';

const EMAIL = 'worker@example.org';
const PASSWORD = 'correct horse battery staple';

function world(password = PASSWORD) {
  const server = createContractServer({ dialect: 'token' });
  const user = server.user({ email: EMAIL, password: PASSWORD });
  const fetch: FetchLike = (input, init) => server.fetch(input, init);
  const client = new AntennaClient({
    baseUrl: server.baseUrl,
    fetch,
    logger: silentLogger,
    tokenProvider: loginToken({ baseUrl: server.baseUrl, email: EMAIL, password, fetch }),
  });
  const logins = () => server.requests.filter(({ path }) => path === '/auth/token/login/').length;
  return { server, user, client, logins };
}

describe('loginToken', () => {
  it('logs in once for all requests', async () => {
    const { client, logins } = world();
    await Promise.all([client.auth.me(), client.auth.me(), client.projects.list()]);
    expect((await client.auth.me()).email).toBe(EMAIL);
    expect(logins()).toBe(1);
    expect(client.dialect).toBe('token');
  });

  it('logs in again when somebody logged the account out, and the request succeeds', async () => {
    const { client, logins } = world();
    await client.auth.me();
    await client.auth.logout();
    expect((await client.auth.me()).email).toBe(EMAIL);
    expect(logins()).toBe(2);
  });

  it('says that the login was refused, with neither address nor password', async () => {
    const { client } = world('wrong horse battery staple');
    const error: unknown = await client.auth.me().catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(/CredentialError: Antenna at .* refused the login/);
    expect(String(error)).not.toMatch(/horse|worker@/);
  });

  it('refuses empty fields and plain http to another machine at once', () => {
    expect(() => loginToken({ baseUrl: 'https://a.example', email: '', password: '' })).toThrow(
      /email.*password/,
    );
    expect(() => loginToken({ baseUrl: 'http://a.example', email: EMAIL, password: PASSWORD })).toThrow(
      AntennaConfigError,
    );
  });
});
