import { AntennaClient, silentLogger, type PipelineConfig } from 'antenna-sdk';
import { createContractServer, type ContractServer } from 'antenna-sdk/testing';
import { afterEach, describe, expect, it } from 'vitest';

const config: PipelineConfig = {
  name: 'Moths',
  slug: 'moths',
  version: 1,
  description: 'first',
  algorithms: [{ key: 'boxes', name: 'Boxes', task_type: 'detection' }],
};

let server: ContractServer;

function setUp(dialect: 'api-key' | 'token') {
  server = createContractServer({ dialect });
  const project = server.project({ name: 'Meadow' });
  const credential =
    dialect === 'api-key'
      ? { apiKey: project.service({ name: 'w' }).key().value }
      : { token: server.user({ superuser: true }).token };
  const client = new AntennaClient({
    baseUrl: server.baseUrl,
    fetch: server.fetch,
    ...credential,
    serviceName: 'w',
    logger: silentLogger,
  });
  return { project, client };
}

afterEach(() => server.close());

describe.each(['api-key', 'token'] as const)('pipelines.register on an %s server', (dialect) => {
  it('reports success for what was stored as asked, also the second time', async () => {
    const { client, project } = setUp(dialect);
    for (let round = 0; round < 2; round++) {
      const report = await client.pipelines.register(project.id, [config]);
      expect(report).toMatchObject({ ok: true, deviations: [] });
      expect(report.pipelines[0]?.slug).toBe('moths');
    }
  });

  it('says that a slug was not created because name and version are taken, although the server answers 201 (T44)', async () => {
    const { client, project } = setUp(dialect);
    await client.pipelines.register(project.id, [config]);
    const report = await client.pipelines.register(project.id, [{ ...config, slug: 'moths-2' }]);
    expect(report.ok).toBe(false);
    expect(report.deviations).toEqual([expect.objectContaining({ kind: 'slug_taken', pipeline: 'moths-2' })]);
  });

  it('says what the server kept instead of what was sent, and which algorithms still hang on (T44, T46)', async () => {
    const { client, project } = setUp(dialect);
    await client.pipelines.register(project.id, [
      { ...config, algorithms: [...config.algorithms, { key: 'old', name: 'Old', task_type: 'other' }] },
    ]);
    const report = await client.pipelines.register(project.id, [
      { ...config, name: 'Renamed', description: 'second' },
    ]);
    expect(report.ok).toBe(true);
    expect(report.deviations.map(({ kind }) => kind)).toEqual([
      'name_ignored',
      'description_ignored',
      'algorithm_extra',
    ]);
  });

  it('says that a second detector now makes every result unsavable (T48)', async () => {
    const { client, project } = setUp(dialect);
    await client.pipelines.register(project.id, [config]);
    const other = { ...config, algorithms: [{ key: 'boxes-2', name: 'Boxes 2', task_type: 'detection' }] };
    const report = await client.pipelines.register(project.id, [other]);
    expect(report.ok).toBe(false);
    expect(report.deviations.map(({ kind }) => kind)).toContain('several_detectors');
  });

  it('explains a 500 that has no reason of its own (T45)', async () => {
    const { client, project } = setUp(dialect);
    await client.pipelines.register(project.id, [config]);
    const changed = {
      ...config,
      algorithms: [{ key: 'boxes', name: 'Boxes', version: 2, task_type: 'detection' }],
    };
    await expect(client.pipelines.register(project.id, [changed], { retries: 0 })).rejects.toThrow(
      'an algorithm key that exists with another version',
    );
  });
});

describe('a credential of the wrong kind', () => {
  it('is explained when a key meets a token server, which ignores it (T7)', async () => {
    server = createContractServer({ dialect: 'token' });
    const project = server.project({ name: 'Meadow' });
    const pipeline = project.pipeline({ slug: 'moths', name: 'Moths' });
    const job = project.job({ pipeline, images: 1 });
    const client = new AntennaClient({
      baseUrl: server.baseUrl,
      fetch: server.fetch,
      apiKey: `abcdefgh.${'k'.repeat(32)}`,
      logger: silentLogger,
    });
    expect((await client.jobs.open({ pipelines: ['moths'] })).map(({ id }) => id)).toEqual([job.id]);
    await expect(client.tasks.reserve(job.id, { batchSize: 1 })).rejects.toThrow(
      /ignored the API key.*set `token`/,
    );
    expect(await client.probeDialect()).toBe('token');
  });

  it('is explained when the key was revoked, when it is of another project, and when the project is a draft', async () => {
    server = createContractServer({ dialect: 'api-key' });
    const project = server.project({ name: 'Meadow' });
    const draft = server.project({ name: 'Draft', draft: true });
    const elsewhere = server.project({ name: 'Elsewhere' });
    const pipeline = project.pipeline({ slug: 'moths', name: 'Moths' });
    const key = project.service({ name: 'w' }).key();
    const client = new AntennaClient({
      baseUrl: server.baseUrl,
      fetch: server.fetch,
      apiKey: key.value,
      logger: silentLogger,
    });
    expect(await client.probeDialect()).toBe('api-key');
    const reserve = (job: { id: number }) => client.tasks.reserve(job.id, { batchSize: 1 });
    await expect(reserve(elsewhere.job({ pipeline, images: 1 }))).rejects.toThrow(
      "service does not belong to the job's project",
    );
    await expect(reserve(draft.job({ pipeline, images: 1 }))).rejects.toThrow('its project is a draft');
    await expect(client.auth.me()).rejects.toThrow('belongs to a service, not to a user');
    const job = project.job({ pipeline, images: 1 });
    key.revoke();
    await expect(reserve(job)).rejects.toThrow('unknown or was revoked');
  });

  it('is explained when a user token registers on an api-key server, or takes tasks without being superuser (T11)', async () => {
    server = createContractServer({ dialect: 'api-key' });
    const owner = server.user({ superuser: true });
    const member = server.user({});
    const project = server.project({
      name: 'Meadow',
      owner,
      members: [{ user: member, role: 'ProjectManager' }],
    });
    const job = project.job({ pipeline: project.pipeline({ slug: 'moths', name: 'Moths' }), images: 1 });
    const as = (token: string) =>
      new AntennaClient({
        baseUrl: server.baseUrl,
        fetch: server.fetch,
        token,
        serviceName: 'w',
        logger: silentLogger,
      });
    await expect(as(owner.token).pipelines.register(project.id, [])).rejects.toThrow('set `apiKey`');
    await expect(as(member.token).tasks.reserve(job.id, { batchSize: 1 })).rejects.toThrow(
      'only superusers may take tasks',
    );
    await expect(as(member.token).processingServices.create(project.id, { name: 'x' })).rejects.toThrow(
      'staff user or superuser',
    );
  });
});
