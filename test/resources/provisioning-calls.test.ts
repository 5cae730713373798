import { Credential, staticSource, type AntennaClientOptions } from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { config } from '../registration/samples.js';
import { clientOf, clientOver, closeAll, failure, KEY, TOKEN } from '../support/calls.js';
import { leaksOf } from '../support/leaks.js';

afterEach(closeAll);

describe('auth.credential', () => {
  it.each([
    [
      'a key: its scheme and its public prefix',
      { apiKey: KEY },
      { scheme: 'Api-Key', prefix: KEY.slice(0, 8) },
    ],
    ['a token: its scheme alone', { token: TOKEN }, { scheme: 'Token', prefix: undefined }],
    [
      'a header',
      { header: { name: 'X-Key', value: 'gateway-secret-value' } },
      { scheme: 'header', prefix: undefined },
    ],
    ['nothing', { credentials: staticSource(undefined) }, undefined],
  ] as [string, AntennaClientOptions, unknown][])(
    'tells of %s, and sends nothing',
    async (_, options, hint) => {
      const client = clientOver(() => Promise.reject(new Error('it was sent')), options);
      const told = await client.auth.credential();
      expect(told).toEqual(hint);
      expect(leaksOf(told, [KEY.slice(9), TOKEN, 'gateway-secret-value'])).toEqual([]);
    },
  );
});

describe('processingServices.supportsKeys', () => {
  it.each(['api-key', 'token'] as const)(
    'tells a %s server with any credential, changing nothing',
    async (dialect) => {
      const server = createContractServer({ dialect });
      const { url } = await server.listen();
      const user = server.user();
      const credentials: AntennaClientOptions[] = [
        { token: user.token },
        { token: TOKEN },
        { apiKey: KEY },
        { credentials: staticSource(undefined) },
        { credentials: staticSource(Credential.bearer('gateway')) },
      ];
      for (const options of credentials) {
        expect(await clientOf(url, options).processingServices.supportsKeys()).toBe(dialect === 'api-key');
      }
      expect(server.requests.map(({ method }) => method)).toEqual(credentials.map(() => 'GET'));
      await server.close();
    },
  );

  it.each([
    [404, { detail: 'Not found.' }, true],
    [400, { project_id: ['This field is required.'] }, true],
    [405, '<h1>no</h1>', true],
    [404, '<h1>no</h1>', false],
  ])('reads %i %j as %s', async (status, body, expected) => {
    const answer =
      typeof body === 'string' ? () => new Response(body, { status }) : () => Response.json(body, { status });
    const client = clientOver(() => Promise.resolve(answer()));
    expect(await client.processingServices.supportsKeys()).toBe(expected);
  });

  it.each([429, 500, 503])('does not take a %i for an answer', async (status) => {
    const client = clientOver(() => Promise.resolve(new Response('', { status })), { retries: 0 });
    expect(await failure(client.processingServices.supportsKeys())).toMatchObject({ status });
  });
});

describe('pipelines.register with a credential of its own', () => {
  it('sends that one, for the read-back too, and leaves the client’s as it is', async () => {
    const server = createContractServer({ dialect: 'api-key' });
    const { url } = await server.listen();
    // A draft: only the key of its service, or a member, may read its pipelines.
    const project = server.project({ draft: true });
    const key = project.service().key();
    const client = clientOf(url, { token: server.user({ staff: true }).token });
    const dialect = 'api-key';
    const asUser = client.pipelines.register(project.id, [config()], { dialect });
    expect(await failure(asUser)).toMatchObject({ status: 403 });
    const credential = Credential.apiKey(key.value);
    const report = await client.pipelines.register(project.id, [config()], { credential, dialect });
    expect(report).toMatchObject({ ok: true, pipelines: [{ slug: 'moths' }] });
    expect(key.usageCount).toBe(2);
    expect(await client.auth.me()).toHaveProperty('id');
    await server.close();
  });
});

describe('processingServices.list', () => {
  it('can be ordered, which keeps pages from overlapping', async () => {
    const server = createContractServer({ dialect: 'api-key' });
    const { url } = await server.listen();
    const project = server.project();
    const ids = Array.from({ length: 7 }, () => project.service().id);
    const anonymous = clientOf(url, { credentials: staticSource(undefined) });
    const list = anonymous.processingServices.list(project.id, { limit: 3, ordering: '-id' });
    expect((await list.toArray(10)).map(({ id }) => id)).toEqual(ids.reverse());
    await server.close();
  });
});
