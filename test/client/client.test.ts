import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { AntennaClient, VERSION, type Dialect, type LogMethod } from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { clientOf, clientOver, closeAll, failure, KEY, TOKEN } from '../support/calls.js';

afterEach(closeAll);

describe('VERSION', () => {
  it('is that of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(VERSION).toBe(version);
  });
});

describe('AntennaClient', () => {
  it('says who it is in every request, and adds the headers of the options', async () => {
    const sent: Record<string, string>[] = [];
    const client = clientOver(
      (_input, init) => {
        sent.push(init.headers);
        return Promise.resolve(Response.json({ id: 1, name: 'n' }));
      },
      { headers: { 'X-Site': 'meadow' } },
    );
    await client.projects.get(1, { headers: { 'X-Trace': 't1', 'X-Request-Id': 'mine' } });
    expect(sent[0]).toMatchObject({
      'user-agent': expect.stringContaining(`antenna-sdk/${VERSION}`) as string,
      'x-site': 'meadow',
      'x-trace': 't1',
      'x-request-id': 'mine',
      authorization: `Api-Key ${KEY}`,
    });
  });

  it('sends a credential in any header, which no other header can replace', async () => {
    const sent: Record<string, string>[] = [];
    const client = clientOver(
      (_input, init) => {
        sent.push(init.headers);
        return Promise.resolve(Response.json({ id: 1, name: 'n' }));
      },
      { header: { name: 'X-Gateway-Key', value: 'sesame', prefix: 'Key' } },
    );
    await client.projects.get(1, { headers: { 'x-gateway-key': 'other' } });
    expect(sent[0]).toMatchObject({ 'x-gateway-key': 'Key sesame' });
    expect(sent[0]).not.toHaveProperty('authorization');
  });

  it('sends no password over plain http to another machine, though it has no credential itself', async () => {
    const sent: string[] = [];
    const options = {
      baseUrl: 'http://antenna.example',
      credentials: undefined,
      fetch: (input: string) => {
        sent.push(input);
        return Promise.resolve(Response.json({ auth_token: TOKEN }));
      },
    };
    const login = { email: 'a@b.example', password: 'pass word' };
    expect(await failure(clientOf('', options).auth.login(login))).toMatchObject({
      code: 'config',
      issues: [{ path: 'baseUrl' }],
    });
    expect(sent).toEqual([]);
    await clientOf('', { ...options, allowInsecureHttp: true }).auth.login(login);
    expect(sent).toHaveLength(1);
  });

  it.each([
    ['api-key', { apiKey: KEY }],
    ['api-key', { token: TOKEN }],
    ['api-key', {}],
    ['token', { apiKey: KEY }],
    ['token', {}],
  ] as [Dialect, object][])(
    'finds out that a server is of the %s dialect, whatever its credential (%o)',
    async (dialect, credential) => {
      const server = createContractServer({ dialect });
      const { url } = await server.listen();
      const client = new AntennaClient({ baseUrl: url, ...credential });
      expect(await client.probeDialect()).toBe(dialect);
      await client.close();
      await server.close();
    },
  );

  it('does not take a failing server for a dialect', async () => {
    const client = clientOver(() => Promise.resolve(new Response('<html>', { status: 502 })), { retries: 0 });
    expect(await failure(client.probeDialect())).toMatchObject({ status: 502 });
    const page = clientOver(() => Promise.resolve(Response.json({ welcome: 1 })));
    expect(await failure(page.probeDialect())).toMatchObject({ code: 'contract_off_schema' });
  });

  it('prints as its address and kind, and as nothing else', () => {
    const client = clientOf('https://antenna.example');
    expect(inspect(client, { depth: Infinity, showHidden: true })).toBe(
      "AntennaClient { baseUrl: 'https://antenna.example/api/v2', dialect: api-key }",
    );
  });

  it('warns when client_info does not fit, naming what was cut', () => {
    const warnings: unknown[] = [];
    const log: LogMethod = (fields) => warnings.push(fields);
    clientOf('https://antenna.example', {
      clientInfo: { site: 'x'.repeat(501) },
      logger: { debug: log, info: log, warn: log, error: log },
    });
    expect(warnings).toEqual([{ cut: ['site was cut to 500 characters'] }]);
  });

  it('may be made in any number without Node seeing a leak', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => {
      warnings.push(warning);
    };
    process.on('warning', listen);
    const clients = Array.from(
      { length: 40 },
      () => new AntennaClient({ baseUrl: 'https://h.example', apiKey: KEY }),
    );
    await Promise.all(clients.map((client) => client.close()));
    await new Promise(setImmediate);
    process.off('warning', listen);
    expect(warnings).toEqual([]);
  });
});
