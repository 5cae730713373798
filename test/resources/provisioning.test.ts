import { inspect } from 'node:util';
import { AntennaConfigError, Secret, type AntennaClientOptions } from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { classifier, config, detector, stored } from '../registration/samples.js';
import { clientOf, clientOver, closeAll, failure, KEY, TOKEN } from '../support/calls.js';

afterEach(closeAll);

const registered = {
  success: true,
  error: null,
  pipelines: [],
  pipelines_created: ['box'],
  algorithms_created: [],
};
const page = (...results: unknown[]) => ({ count: results.length, next: null, previous: null, results });

/** A server that takes every registration and then shows these pipelines. */
function registry(shown: unknown[], options: AntennaClientOptions = {}, answer: unknown = registered) {
  const sent: { method: string; body: unknown }[] = [];
  const client = clientOver((_input, init) => {
    const body =
      init.body === undefined ? undefined : (JSON.parse(Buffer.from(init.body).toString()) as unknown);
    sent.push({ method: init.method, body });
    return Promise.resolve(
      init.method === 'POST' ? Response.json(answer, { status: 201 }) : Response.json(page(...shown)),
    );
  }, options);
  return { client, sent };
}

describe('pipelines.register', () => {
  it('reads back what the server made of it (T44), whatever the answer lists as created (T46)', async () => {
    const { client, sent } = registry([stored({ name: 'Kept' })]);
    const report = await client.pipelines.register(3, [config()]);
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'GET']);
    expect(report).toMatchObject({ ok: true, deviations: [{ kind: 'name_ignored', pipeline: 'moths' }] });
    const taken = await registry([stored()]).client.pipelines.register(3, [config({ slug: 'mine' })]);
    expect(taken).toMatchObject({ ok: false, pipelines: [], deviations: [{ kind: 'slug_taken' }] });
  });

  it('sends client_info to a server of the api-key dialect and the name of the service to the other (T47)', async () => {
    const info = { clientInfo: { site: 'm' } };
    const key = registry([stored()], info);
    await key.client.pipelines.register(3, [config()]);
    expect(key.sent[0]?.body).toMatchObject({ client_info: { site: 'm' } });
    expect(key.sent[0]?.body).not.toHaveProperty('processing_service_name');
    const token = registry([stored()], { token: TOKEN, serviceName: 'my-worker', ...info });
    await token.client.pipelines.register(3, [config()]);
    expect(token.sent[0]?.body).toMatchObject({ processing_service_name: 'my-worker' });
    expect(token.sent[0]?.body).not.toHaveProperty('client_info');
    await token.client.pipelines.register(3, [config()], { serviceName: 'other' });
    expect(token.sent[2]?.body).toMatchObject({ processing_service_name: 'other' });
  });

  it.each([
    ['without a service name in the token dialect', { token: TOKEN }, config(), 'serviceName'],
    ['with a credential that tells no dialect', { header: { name: 'x', value: 'y' } }, config(), 'dialect'],
    ['without a detector (T48)', {}, config({ algorithms: [classifier] }), 'pipelines.0.algorithms'],
    [
      'with two detectors (T48)',
      {},
      config({ algorithms: [detector, { ...detector, key: 'b', name: 'B' }] }),
      'pipelines.0.algorithms',
    ],
    [
      'with a classifier without labels (T45)',
      {},
      config({ algorithms: [detector, { key: 'c', name: 'C', task_type: 'classification' }] }),
      'pipelines.0.algorithms.1.category_map',
    ],
    [
      'with labels but no data (T45)',
      {},
      config({ algorithms: [detector, { ...classifier, category_map: { labels: ['a'] } as never }] }),
      'pipelines.0.algorithms.1.category_map.data',
    ],
    [
      'with a key used twice',
      {},
      config({ algorithms: [detector, classifier, classifier] }),
      'pipelines.0.algorithms.2.key',
    ],
    ['with a name of 256 characters', {}, config({ name: 'x'.repeat(256) }), 'pipelines.0.name'],
    ['with a slug of 256 characters', {}, config({ slug: 'x'.repeat(256) }), 'pipelines.0.slug'],
    ['with an empty slug', {}, config({ slug: '' }), 'pipelines.0.slug'],
    [
      'with an empty key',
      {},
      config({ algorithms: [{ ...detector, key: '' }, classifier] }),
      'pipelines.0.algorithms.0.key',
    ],
    ['without a version', {}, config({ version: undefined as never }), 'pipelines.0.version'],
    ['with a misspelt field', {}, config({ algoritms: [] } as never), 'pipelines.0'],
  ] as [string, AntennaClientOptions, ReturnType<typeof config>, string][])(
    'sends nothing %s',
    async (_, options, pipeline, path) => {
      const { client, sent } = registry([], options);
      const error = await failure(client.pipelines.register(3, [pipeline]));
      expect(error).toBeInstanceOf(AntennaConfigError);
      expect((error['issues'] as { path: string }[]).map((issue) => issue.path)).toContain(path);
      expect(sent).toEqual([]);
    },
  );

  it('is not successful when the server says so, whatever is stored', async () => {
    const { client } = registry([stored()], {}, { ...registered, success: false, error: 'no' });
    expect(await client.pipelines.register(3, [config()])).toMatchObject({ ok: false });
    expect(await client.pipelines.register(3, [config()], { readBack: false })).toMatchObject({ ok: false });
  });

  it('with nothing to register is a sign of life in one request', async () => {
    const { client, sent } = registry([]);
    expect(await client.pipelines.register(3, [])).toEqual({ ok: true, pipelines: [], deviations: [] });
    expect(sent).toHaveLength(1);
  });

  it('that ends in a page of HTML says what usually causes it (T45)', async () => {
    const client = clientOver(() => Promise.resolve(new Response('<html>', { status: 500 })), { retries: 0 });
    const error = await failure(client.pipelines.register(3, [config()]));
    expect(error).toMatchObject({ status: 500, name: 'ServerError' });
    expect(error.message).toContain('an algorithm key that exists with another version');
  });
});

describe('processing services', () => {
  it('are unwrapped from what their creation answers (T49)', async () => {
    const instance = { id: 2, name: 'svc', invented: 1 };
    const client = clientOver(() => Promise.resolve(Response.json({ instance }, { status: 201 })));
    expect(await client.processingServices.create(3, { name: 'svc' })).toEqual(instance);
    const bare = clientOver(() => Promise.resolve(Response.json(instance, { status: 201 })));
    expect(await failure(bare.processingServices.create(3, { name: 'svc' }))).toMatchObject({
      code: 'contract_off_schema',
      bodyPath: 'instance',
    });
  });

  it.each(['', '   ', 'x'.repeat(47), undefined])(
    'are not created under the name %j, which breaks keys or is a 500 (T49)',
    async (name) => {
      let sent = 0;
      const client = clientOver(() => {
        sent += 1;
        return Promise.resolve(Response.json({}));
      });
      expect(await failure(client.processingServices.create(3, { name } as { name: string }))).toMatchObject({
        code: 'config',
        issues: [{ path: 'name' }],
      });
      expect(sent).toBe(0);
    },
  );

  it('get a key that works, comes out when asked, and is printed by nothing', async () => {
    const server = createContractServer({ dialect: 'api-key' });
    const { url } = await server.listen();
    const project = server.project({ name: 'Meadow' });
    const staff = clientOf(url, { token: server.user({ superuser: true }).token });
    const service = await staff.processingServices.create(project.id, { name: 'x'.repeat(46) });
    const made = await staff.processingServices.generateKey(project.id, service.id);
    expect(made.api_key).toBeInstanceOf(Secret);
    expect(made.api_key.reveal()).toMatch(/^\w{8}\.\w{32}$/);
    expect(made.api_key.reveal().startsWith(made.prefix)).toBe(true);
    const shown = inspect(made, { depth: Infinity, showHidden: true }) + JSON.stringify(made);
    expect(shown).not.toContain(made.api_key.reveal().slice(9));
    const worker = clientOf(url, { apiKey: made.api_key });
    expect(await worker.pipelines.register(project.id, [config()])).toMatchObject({ ok: true });
    // The next key ends the one before it (T10).
    await staff.processingServices.generateKey(project.id, service.id);
    expect((await failure(worker.pipelines.register(project.id, []))).message).toContain('was revoked');
    await server.close();
  });
});

describe('auth', () => {
  it.each(['api-key', 'token'] as const)(
    'logs in to a %s server in spite of a stale token (T13), and the token works until the logout',
    async (dialect) => {
      const server = createContractServer({ dialect });
      const { url } = await server.listen();
      server.user({ email: 'a@b.example', password: 'right' });
      const stale = clientOf(url, { token: TOKEN });
      expect((await failure(stale.auth.me())).message).toContain('a logout deleted it');
      const { auth_token } = await stale.auth.login({ email: 'a@b.example', password: 'right' });
      const client = clientOf(url, { token: auth_token });
      expect(await client.auth.me()).toMatchObject({ email: 'a@b.example' });
      await client.auth.logout();
      expect(await failure(client.auth.me())).toMatchObject({ status: 401 });
      const refused = await failure(stale.auth.login({ email: 'a@b.example', password: 'wrong-password' }));
      expect(refused).toMatchObject({
        status: 400,
        fieldErrors: { non_field_errors: ['Unable to log in with provided credentials.'] },
      });
      expect(refused.message).toContain('Check e-mail and password');
      await server.close();
    },
  );

  it.each([
    { email: '', password: 'p' },
    { email: 'e', password: '' },
    { username: 'e', password: 'hunter-two-two' },
  ])('sends no login like %o, and does not quote it', async (login) => {
    const client = clientOver(() => Promise.reject(new Error('it was sent')));
    const error = await failure(client.auth.login(login as never));
    expect(error).toBeInstanceOf(AntennaConfigError);
    expect(error.message).not.toContain('hunter');
  });
});

describe('a key on a server of the token dialect', () => {
  it('is anonymous there: reading works, and a task call says what to set (T7)', async () => {
    const server = createContractServer({ dialect: 'token' });
    const { url } = await server.listen();
    const project = server.project({ name: 'Meadow' });
    const job = project.job({
      pipeline: project.pipeline({ slug: 'moths' }),
      images: ['https://i.example/1.jpg'],
    });
    const client = clientOf(url, { apiKey: KEY });
    expect((await client.projects.list()).count).toBe(1);
    const error = await failure(client.tasks.reserve(job.id, { batchSize: 1 }));
    expect(error).toMatchObject({ status: 401, name: 'AuthenticationError' });
    expect(error.message).toContain('set `token` to a superuser’s token');
    await server.close();
  });
});
