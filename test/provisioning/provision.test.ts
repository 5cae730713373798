import { AntennaConfigError, provision, ProvisionedKey, Secret, type ProvisionOptions } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { config, detector } from '../registration/samples.js';
import { closeAll, failure } from '../support/calls.js';
import { CARRIERS, closeWorlds, world } from './world.js';

afterEach(closeAll);
afterEach(closeWorlds);

describe.each(CARRIERS)('provision, over %s', (carrier) => {
  it('creates the service, generates its key, registers with it, and the key works', async () => {
    const { staff, client, ask, server, project, writes } = await world('api-key', carrier);
    const result = await provision(staff(), ask);
    expect(result).toMatchObject({
      dialect: 'api-key',
      project: { id: project.id, name: 'Meadow', draft: false },
      service: { name: 'moth-worker', projects: [project.id], api_key_prefix: result.key?.prefix },
      serviceOutcome: 'created',
      keyOutcome: 'generated',
      registration: { ok: true, deviations: [] },
      notes: [],
    });
    const { id } = result.service;
    expect(writes()).toEqual([
      'POST /ml/processing_services/',
      `POST /ml/processing_services/${id}/generate_key/`,
      `POST /projects/${project.id}/pipelines/`,
    ]);
    const worker = client({ apiKey: result.key?.reveal() });
    const job = project.job({ pipeline: result.registration?.pipelines[0] ?? null, images: 1 });
    expect(await worker.tasks.reserve(job.id, { batchSize: 1 })).toHaveLength(1);
    // An empty project does not tell whether the server has keys; asking its key route with GET does.
    const refused = server.requests.filter(({ status }) => (status ?? 0) >= 400);
    expect(refused).toMatchObject([{ method: 'GET', status: 405 }]);
  });

  it('run again changes nothing, and says that the pipelines are there', async () => {
    const { staff, ask, writes } = await world('api-key', carrier);
    const first = await provision(staff(), ask);
    const before = writes();
    const again = await provision(staff(), ask);
    expect(again).toMatchObject({
      service: { id: first.service.id, api_key_prefix: first.key?.prefix },
      serviceOutcome: 'found',
      keyOutcome: 'kept',
      key: undefined,
      registration: undefined,
      notes: ['Nothing was registered: the service has these pipelines already'],
    });
    expect(writes()).toEqual(before);
  });

  it('generates a key for a service that has none, and rotates one only when told to', async () => {
    const { staff, client, ask, project } = await world('api-key', carrier);
    const service = project.service({ name: ask.serviceName });
    const first = await provision(staff(), ask);
    expect(first).toMatchObject({
      serviceOutcome: 'found',
      keyOutcome: 'generated',
      service: { id: service.id },
    });
    const old = client({ apiKey: first.key?.reveal() });
    expect((await provision(staff(), ask)).key).toBeUndefined();
    expect(await old.pipelines.register(project.id, [])).toMatchObject({ ok: true });
    const rotated = await provision(staff(), { ...ask, rotateKey: true });
    expect(rotated).toMatchObject({
      keyOutcome: 'rotated',
      registration: { ok: true },
      notes: ['The keys that the service had before ended at once'],
    });
    expect(await failure(old.pipelines.register(project.id, []))).toMatchObject({ status: 401 });
    const renewed = client({ apiKey: rotated.key?.reveal() });
    expect(await renewed.pipelines.register(project.id, [])).toMatchObject({ ok: true });
  });

  it('registers by name on a token server, without a key, when told that it is one', async () => {
    const { staff, ask, writes, project } = await world('token', carrier);
    const options: ProvisionOptions = { ...ask, dialect: 'token' };
    const result = await provision(staff(), options);
    expect(result).toMatchObject({
      dialect: 'token',
      serviceOutcome: 'created',
      key: undefined,
      keyOutcome: 'unsupported',
      registration: { ok: true },
      service: { name: 'moth-worker' },
    });
    expect(result.notes).toEqual([expect.stringContaining('need the token of a superuser')]);
    expect(writes()).toEqual([`POST /projects/${project.id}/pipelines/`]);
    const again = await provision(staff(), options);
    expect(again).toMatchObject({ serviceOutcome: 'found', service: { id: result.service.id } });
  });
});

describe('provision', () => {
  it('registers with the current key when it is kept', async () => {
    const { staff, ask, project } = await world();
    const { key } = await provision(staff(), { ...ask, pipelines: [] });
    if (!key) throw new Error('there should be a key');
    const text = key.reveal();
    for (const [index, currentKey] of [text, new Secret(text), key].entries()) {
      const slug = `moths-${index}`;
      const pipelines = [config({ slug, name: slug, algorithms: [detector] })];
      const result = await provision(staff(), { ...ask, pipelines, currentKey });
      expect(result).toMatchObject({ keyOutcome: 'kept', registration: { ok: true }, notes: [] });
    }
    const other = project.service({ name: 'other' }).key();
    const error = await failure(provision(staff(), { ...ask, currentKey: other.value }));
    expect(error).toMatchObject({ problem: 'wrong_key', failed: 'register_pipelines' });
    expect(error.message).toContain('newest key of this service');
  });

  it('says which pipelines are not registered when a kept key is not known here', async () => {
    const { staff, ask } = await world();
    await provision(staff(), { ...ask, pipelines: [] });
    const { registration, notes } = await provision(staff(), ask);
    expect(registration).toBeUndefined();
    expect(notes).toEqual([
      expect.stringMatching(/^Not registered yet: moths\..*currentKey.*start a worker/),
    ]);
  });

  it('finds the service on a later page among others', async () => {
    const { staff, ask, project, server } = await world();
    for (let index = 0; index < 230; index++) project.service({ name: `other-${index}` });
    const { id } = project.service({ name: ask.serviceName });
    expect((await provision(staff(), ask)).service.id).toBe(id);
    // Without an order the database may repeat a service on the next page and leave out another.
    const lists = server.requests.filter(({ path }) => path === '/ml/processing_services/');
    expect(lists.map(({ query }) => query['ordering'])).toEqual(['id', 'id', 'id']);
  });

  it('asks the server, whatever answers the client keeps', async () => {
    const { client, ask, project, server } = await world();
    const user = server.user({ staff: true });
    const keeping = client({ token: user.token, cache: {} });
    await keeping.processingServices.list(project.id, { limit: 100, ordering: 'id' });
    const { id } = project.service({ name: ask.serviceName });
    expect((await provision(keeping, ask)).service.id).toBe(id);
    user.logout();
    expect(await failure(provision(keeping, ask))).toMatchObject({ problem: 'credential_refused' });
  });

  it('is frozen, and says what the server did not do as asked', async () => {
    const { staff, ask, project } = await world();
    project.pipeline({ slug: 'moths-of-old', name: 'Moths', algorithms: [detector] });
    const result = await provision(staff(), ask);
    expect(result.registration).toMatchObject({ ok: false, deviations: [{ kind: 'slug_taken' }] });
    expect(result.notes).toEqual([expect.stringContaining('registration.deviations')]);
    const parts = [
      result,
      result.service,
      result.service.projects,
      result.registration,
      result.notes,
      result.key,
    ];
    for (const part of parts) expect(Object.isFrozen(part)).toBe(true);
  });

  it('notes that a key gets no jobs of a draft project (T14)', async () => {
    const { server, client, ask } = await world();
    const user = server.user({ superuser: true });
    const draft = server.project({ draft: true });
    const result = await provision(client({ token: user.token }), { ...ask, project: draft.id });
    expect(result).toMatchObject({ registration: { ok: true }, project: { draft: true } });
    expect(result.notes).toEqual([expect.stringContaining('draft')]);
  });
});

describe('provision refuses', () => {
  it.each([
    ['a name over 46 characters', { serviceName: 'x'.repeat(47) }, 'serviceName'],
    ['an empty name', { serviceName: '' }, 'serviceName'],
    ['a blank name', { serviceName: ' \t' }, 'serviceName'],
    ['a missing name', { serviceName: undefined }, 'serviceName'],
    ['a project that is no id', { project: '01' }, 'project'],
    [
      'pipelines that could never work (T48)',
      { pipelines: [config({ algorithms: [] })] },
      'pipelines.0.algorithms',
    ],
    ['pipelines of the wrong shape', { pipelines: [{ slug: 'x' }] }, 'pipelines.0.name'],
    ['a misspelt option', { rotatekey: true }, ''],
    [
      'a current key to be rotated',
      { currentKey: `abcdefgh.${'k'.repeat(32)}`, rotateKey: true },
      'currentKey',
    ],
    ['a current key that is none', { currentKey: 'hunter-two' }, 'currentKey'],
    ['a current key that is no text', { currentKey: 7 }, 'currentKey'],
    ['a rotation where there are no keys', { dialect: 'token', rotateKey: true }, 'rotateKey'],
    ['an unknown dialect', { dialect: 'bearer' }, 'dialect'],
    ['a header that cannot be one', { headers: { 'x\n': 'y' } }, 'headers'],
  ])('%s before anything is sent', async (_, wrong, path) => {
    const { staff, ask, server } = await world();
    const error = await failure(provision(staff(), { ...ask, ...wrong } as never));
    expect(error).toBeInstanceOf(AntennaConfigError);
    expect((error['issues'] as { path: string }[])[0]?.path).toContain(path);
    expect(error.message).not.toContain('hunter');
    expect(server.requests).toEqual([]);
  });

  it('options that are none', async () => {
    const { staff } = await world();
    for (const none of [undefined, null, 'moth-worker']) {
      expect(await failure(provision(staff(), none as never))).toMatchObject({ code: 'config' });
    }
  });

  it('takes a name of exactly 46 characters, and trims it as the server does', async () => {
    const { staff, ask } = await world();
    const result = await provision(staff(), { ...ask, serviceName: ` ${'x'.repeat(46)} ` });
    expect(result.service.name).toBe('x'.repeat(46));
    expect(result.key).toBeInstanceOf(ProvisionedKey);
  });

  it('several services of the name, and lists them with their ids; serviceId chooses', async () => {
    const { staff, ask, project, writes } = await world();
    const ids = [
      project.service({ name: ask.serviceName }).id,
      project.service({ name: ask.serviceName }).id,
    ];
    project.service({ name: `${ask.serviceName}-2` });
    const error = await failure(provision(staff(), ask));
    expect(error).toMatchObject({
      name: 'ProvisioningError',
      code: 'provisioning_duplicate_service',
      failed: 'find_service',
      services: ids.map((id) => ({ id, name: ask.serviceName, last_seen: null })),
      done: ['check_user', 'find_project'],
    });
    for (const id of ids) expect(error.message).toContain(`${id} (last seen never)`);
    expect(error.message).toContain('pass serviceId');
    const missing = await failure(provision(staff(), { ...ask, serviceId: 9_999 }));
    expect(missing).toMatchObject({ problem: 'no_service', services: [{ id: ids[0] }, { id: ids[1] }] });
    expect(writes()).toEqual([]);
    expect((await provision(staff(), { ...ask, serviceId: ids[1] })).service.id).toBe(ids[1]);
  });

  it('a service that appears twice because somebody else created it at the same moment', async () => {
    const { staff, ask, server, project } = await world();
    server.faults.intervene(
      (_, next) => {
        project.service({ name: ask.serviceName });
        return next();
      },
      { route: 'services.create', times: 1 },
    );
    const error = await failure(provision(staff(), ask));
    expect(error).toMatchObject({ problem: 'duplicate_service', key: undefined });
    expect(error['done']).toContain('create_service');
    expect(error['services']).toHaveLength(2);
  });

  it('a user who is not staff, a project owner included', async () => {
    const { client, ask, server } = await world();
    const owner = server.user();
    const own = server.project({ owner });
    const user = client({ token: owner.token });
    const error = await failure(provision(user, { ...ask, project: own.id }));
    expect(error).toMatchObject({ problem: 'not_staff', failed: 'create_service', uncertain: false });
    expect(error.message).toContain('nothing was changed');
    expect(error.message).toContain('staff user or superuser');
    own.service({ name: ask.serviceName });
    const key = await failure(provision(user, { ...ask, project: own.id }));
    expect(key).toMatchObject({ problem: 'not_staff', failed: 'generate_key' });
  });

  it('an API key, which belongs to no user, and a token that is over', async () => {
    const { client, ask, project, server } = await world();
    const key = project.service({ name: 'other' }).key();
    const byKey = await failure(provision(client({ apiKey: key.value }), ask));
    expect(byKey).toMatchObject({ problem: 'not_a_user', failed: 'check_user', done: [] });
    expect(byKey.message).toContain('staff user’s token');
    const user = server.user({ staff: true });
    const gone = client({ token: user.token });
    user.logout();
    expect(await failure(provision(gone, ask))).toMatchObject({ problem: 'credential_refused', done: [] });
    const none = client({
      credentials: {
        get: () => {
          throw new Error('issuer away');
        },
      },
    });
    expect(await failure(provision(none, ask))).toMatchObject({ problem: 'credential', done: [] });
  });

  it('a project that is missing, or a draft whose services this user would not see', async () => {
    const { staff, ask, server, writes } = await world();
    const draft = server.project({ draft: true });
    draft.service({ name: ask.serviceName });
    for (const project of [4_000, draft.id]) {
      const error = await failure(provision(staff(), { ...ask, project }));
      expect(error).toMatchObject({ problem: 'no_project', failed: 'find_project' });
      expect(error.message).toContain('if it is a draft');
    }
    expect(writes()).toEqual([]);
  });

  it.each([0, 1])(
    'a server without keys, before it changes anything, with %i services to tell it by',
    async (count) => {
      const { staff, ask, project, writes } = await world('token');
      for (let index = 0; index < count; index++) project.service();
      const error = await failure(provision(staff(), ask));
      expect(error).toMatchObject({ code: 'provisioning_keys_unsupported', failed: 'find_dialect' });
      expect(error.message).toContain("dialect: 'token'");
      expect(writes()).toEqual([]);
    },
  );

  it.each([0, 1])('a server with keys when told that it has none, with %i services', async (count) => {
    const { staff, ask, project, writes } = await world();
    for (let index = 0; index < count; index++) project.service();
    const error = await failure(provision(staff(), { ...ask, dialect: 'token' }));
    expect(error).toMatchObject({ problem: 'keys_required' });
    expect(writes()).toEqual([]);
  });

  it('a registration that conflicts, and hands over the key that it has made by then', async () => {
    const { staff, client, ask, project } = await world();
    project.pipeline({ slug: 'old', algorithms: [{ key: detector.key, name: 'Old', version: 7 }] });
    const error = await failure(provision(staff(), ask));
    expect(error).toMatchObject({
      problem: 'registration_refused',
      failed: 'register_pipelines',
      done: ['check_user', 'find_project', 'find_service', 'find_dialect', 'create_service', 'generate_key'],
      uncertain: false,
      cause: { status: 500 },
    });
    expect(error.message).toContain('an algorithm key that exists with another version');
    expect(error.message).toContain('writeKeyFile(path, error.key)');
    const key = error['key'] as ProvisionedKey;
    expect(await client({ apiKey: key.reveal() }).pipelines.register(project.id, [])).toMatchObject({
      ok: true,
    });
  });

  it('a registration by name for a user who manages nothing, and a name that two services have (T47)', async () => {
    const { client, staff, ask, server } = await world('token');
    const user = client({ token: server.user({ staff: true }).token });
    const refused = await failure(provision(user, { ...ask, dialect: 'token' }));
    expect(refused).toMatchObject({ problem: 'registration_refused', cause: { status: 403 } });
    expect(refused.message).toContain('MLDataManager');
    const elsewhere = server.project({ name: 'Elsewhere' });
    elsewhere.service({ name: ask.serviceName });
    const shared = await provision(staff(), { ...ask, dialect: 'token' });
    expect(shared.serviceOutcome).toBe('found');
    expect(shared.notes[0]).toContain(`other projects too (${elsewhere.id})`);
    elsewhere.service({ name: ask.serviceName });
    const ambiguous = await failure(provision(staff(), { ...ask, dialect: 'token' }));
    expect(ambiguous).toMatchObject({ problem: 'registration_refused', cause: { status: 500 } });
    expect(ambiguous.message).toContain('several services of this name');
  });
});
