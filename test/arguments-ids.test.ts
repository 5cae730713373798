import {
  AntennaClient,
  AntennaConfigError,
  AntennaWorker,
  checkCredential,
  provision,
  silentLogger,
} from 'antenna-sdk';
import { createContractServer, createImageHost } from 'antenna-sdk/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { clientOver, closeAll } from './support/calls.js';
import { pipelineDefinition } from './support/pipelines.js';

afterEach(closeAll);

/** What is no id, whoever takes one. */
const NONE: readonly unknown[] = [
  '05',
  '5 ',
  ' 5',
  '',
  'five',
  '5.0',
  '1e3',
  '-5',
  -1,
  0,
  1.5,
  2 ** 53,
  null,
];

interface Sent {
  readonly client: AntennaClient;
  /** Query and body of each request. */
  readonly sent: string[];
}

function recording(): Sent {
  const sent: string[] = [];
  const client = clientOver((input, init) => {
    sent.push(`${input} ${typeof init.body === 'string' ? init.body : ''}`);
    return Promise.resolve(new Response('{}', { status: 404 }));
  });
  return { client, sent };
}

const service = { serviceName: 'w', pipelines: [] };
const job = { name: 'n', project_id: 1 };

/** Every id that is not an argument of its own, which the sweep of methods covers. */
const IDS: Readonly<Record<string, (client: AntennaClient, id: never) => PromiseLike<unknown>>> = {
  'jobs.create project_id': ({ jobs }, id) => jobs.create({ ...job, project_id: id }),
  'jobs.create pipeline_id': ({ jobs }, id) => jobs.create({ ...job, pipeline_id: id }),
  'jobs.create deployment_id': ({ jobs }, id) => jobs.create({ ...job, deployment_id: id }),
  'jobs.create source_image_collection_id': ({ jobs }, id) =>
    jobs.create({ ...job, source_image_collection_id: id }),
  'jobs.create source_image_single_id': ({ jobs }, id) => jobs.create({ ...job, source_image_single_id: id }),
  'jobs.list project': ({ jobs }, project) => jobs.list({ project }),
  'jobs.list pipeline': ({ jobs }, pipeline) => jobs.list({ pipeline }),
  'jobs.open project': ({ jobs }, project) => jobs.open({ pipelines: ['a'], project }),
  'pipelines.list project_id': ({ pipelines }, project_id) => pipelines.list({ project_id }),
  'projects.list user_id': ({ projects }, user_id) => projects.list({ user_id }),
  'checkCredential projects': (client, id) => checkCredential(client, { projects: [id] }),
  'provision project': (client, project) => provision(client, { ...service, project }),
  'provision serviceId': (client, serviceId) => provision(client, { ...service, project: 1, serviceId }),
  'AntennaWorker projects': async (client, id) =>
    new AntennaWorker({ client, pipelines: [pipelineDefinition()], projects: [id] }),
  'AntennaWorker jobs': async (client, id) =>
    new AntennaWorker({ client, pipelines: [pipelineDefinition()], jobs: [id] }),
};

const settled = async (work: () => PromiseLike<unknown>): Promise<unknown> => {
  try {
    return await work();
  } catch (error) {
    return error;
  }
};

describe('an id among options', () => {
  it.each(Object.entries(IDS))(
    '%s is refused when it is none, before anything is sent',
    async (name, call) => {
      const { client, sent } = recording();
      // `null` leaves a field of a job out, as the server's own forms do.
      const mayBeNull = name.startsWith('jobs.create') && !name.endsWith('project_id');
      for (const bad of mayBeNull ? NONE.filter((value) => value !== null) : NONE) {
        const error = await settled(() => call(client, bad as never));
        expect(error, String(bad)).toBeInstanceOf(AntennaConfigError);
        expect((error as Error).message, String(bad)).toMatch(/positive integer|project ids/);
      }
      expect(sent).toEqual([]);
    },
  );

  it.each(Object.entries(IDS))('%s in digits sends what the number sends', async (_, call) => {
    const [number, digits] = [recording(), recording()];
    expect(await settled(() => call(number.client, 7 as never))).not.toBeInstanceOf(AntennaConfigError);
    expect(await settled(() => call(digits.client, '7' as never))).not.toBeInstanceOf(AntennaConfigError);
    expect(digits.sent).toEqual(number.sent);
    // The server takes numbers only in a body.
    expect(digits.sent.join()).not.toContain('"7"');
  });
});

describe('ids in digits, with a server', () => {
  const world = () => {
    const server = createContractServer({ dialect: 'api-key', emptyWaitMs: 1 });
    const user = server.user({ email: 'staff@example.org', superuser: true, staff: true });
    const project = server.project({ name: 'Meadow' });
    const client = (sign: { apiKey: string } | { token: string }) =>
      new AntennaClient({ baseUrl: server.baseUrl, fetch: server.fetch, logger: silentLogger, ...sign });
    return { server, project, client, staff: client({ token: user.token }) };
  };

  it('a worker takes the jobs and projects that they name, and no others', async () => {
    const { server, project, client } = world();
    const images = createImageHost();
    const key = project.service().key();
    const pipeline = project.pipeline(pipelineDefinition());
    const [mine, other] = [1, 2].map(() => project.job({ pipeline, images: [images.generate().url] }));
    const worker = new AntennaWorker({
      client: client({ apiKey: key.value }),
      pipelines: [pipelineDefinition()],
      ...{ projects: [String(project.id)], jobs: [String(mine?.id)], fetch: images.fetch, pollIntervalMs: 5 },
    });
    const registered: number[] = [];
    worker.on('registered', ({ projectId }) => registered.push(projectId));
    await worker.run({ until: 'drained' });
    server.settle();
    expect(registered).toEqual([project.id]);
    expect([mine?.counts.processed, other?.counts.processed]).toEqual([1, 0]);
  });

  it('provision finds the service, and checkCredential the project', async () => {
    const { project, staff } = world();
    const wanted = [project.service({ name: 'w' }), project.service({ name: 'w' })].at(-1);
    const made = await provision(staff, {
      ...service,
      project: String(project.id),
      serviceId: String(wanted?.id),
    });
    expect(made.service.id).toBe(wanted?.id);
    const report = await checkCredential(staff, { projects: [String(project.id)] });
    expect(report.projects).toMatchObject([{ id: project.id, serves: true }]);
  });

  it('a job is made in the project', async () => {
    const { project, staff } = world();
    const pipeline = project.pipeline({ slug: 'a' });
    const request = { name: 'n', project_id: String(project.id), pipeline_id: String(pipeline.id) };
    expect(await staff.jobs.create(request)).toMatchObject({ project: { id: project.id } });
  });
});
