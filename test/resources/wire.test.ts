import type { AntennaClient, AntennaClientOptions } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, KEY, TOKEN } from '../support/calls.js';
import { record, RECORDERS } from '../support/recorders.js';

const closers: (() => void)[] = [];
afterEach(async () => {
  await closeAll();
  for (const close of closers.splice(0)) close();
});

const page = (...results: unknown[]) => ({ count: results.length, next: null, previous: null, results });
const job = { id: 6, status: 'STARTED' };
const pipeline = { id: 1, name: 'P', slug: 'p', algorithms: [] };
const service = { id: 2, name: 'svc' };
const status = { timestamp: 't', request_successful: true, server_live: true, pipelines_online: [] };
const registered = {
  success: true,
  error: null,
  pipelines: [],
  pipelines_created: [],
  algorithms_created: [],
};

type Case = readonly [
  name: string,
  call: (client: AntennaClient) => PromiseLike<unknown>,
  request: readonly [method: string, path: string, query?: Record<string, string>, body?: unknown],
  answer: readonly [status: number, body?: unknown],
  options?: AntennaClientOptions,
];

const ROWS: Case[] = [
  [
    'auth.login',
    (c) => c.auth.login({ email: 'a@b.example', password: 'pw' }),
    ['POST', '/auth/token/login/', {}, { email: 'a@b.example', password: 'pw' }],
    [200, { auth_token: TOKEN }],
  ],
  ['auth.logout', (c) => c.auth.logout(), ['POST', '/auth/token/logout/'], [204]],
  ['auth.me', (c) => c.auth.me(), ['GET', '/users/me/'], [200, { id: 4, name: '' }]],
  [
    'projects.list',
    (c) => c.projects.list({ limit: 5, offset: 10, ordering: '-name', user_id: 3 }),
    ['GET', '/projects/', { limit: '5', offset: '10', ordering: '-name', user_id: '3' }],
    [200, page({ id: 1, name: 'n' })],
  ],
  [
    'projects.get',
    (c) => c.projects.get(3),
    ['GET', '/projects/3/', { with_charts: 'false' }],
    [200, { id: 3, name: 'n' }],
  ],
  [
    'pipelines.list',
    (c) => c.pipelines.list({ project_id: 3 }),
    ['GET', '/ml/pipelines/', { project_id: '3' }],
    [200, page(pipeline)],
  ],
  [
    'pipelines.listForProject',
    (c) => c.pipelines.listForProject(3, { limit: 2 }),
    ['GET', '/projects/3/pipelines/', { limit: '2' }],
    [200, page(pipeline)],
  ],
  ['pipelines.get', (c) => c.pipelines.get(1), ['GET', '/ml/pipelines/1/'], [200, pipeline]],
  [
    'pipelines.register (api-key)',
    (c) => c.pipelines.register(3, []),
    ['POST', '/projects/3/pipelines/', {}, { pipelines: [] }],
    [201, registered],
  ],
  [
    'pipelines.register (token)',
    (c) => c.pipelines.register(3, [], { serviceName: 'svc' }),
    ['POST', '/projects/3/pipelines/', {}, { processing_service_name: 'svc', pipelines: [] }],
    [201, registered],
    { token: TOKEN },
  ],
  [
    'processingServices.list',
    (c) => c.processingServices.list(3, { limit: 1 }),
    ['GET', '/ml/processing_services/', { project_id: '3', limit: '1' }],
    [200, page(service)],
  ],
  [
    'processingServices.get',
    (c) => c.processingServices.get(3, 2),
    ['GET', '/ml/processing_services/2/', { project_id: '3' }],
    [200, service],
  ],
  [
    'processingServices.status',
    (c) => c.processingServices.status(2),
    ['GET', '/ml/processing_services/2/status/'],
    [200, status],
  ],
  [
    'processingServices.create',
    (c) => c.processingServices.create(3, { name: 'svc' }),
    ['POST', '/ml/processing_services/', { project_id: '3' }, { name: 'svc' }],
    [201, { instance: service, status }],
  ],
  [
    'processingServices.generateKey',
    (c) => c.processingServices.generateKey(3, 2),
    ['POST', '/ml/processing_services/2/generate_key/', { project_id: '3' }],
    [200, { api_key: KEY, prefix: 'abcdefgh' }],
  ],
  [
    'jobs.list',
    (c) => c.jobs.list({ status: 'STARTED', project: 3, pipeline__slug: 'p', limit: 9 }),
    ['GET', '/jobs/', { status: 'STARTED', project: '3', pipeline__slug: 'p', limit: '9' }],
    [200, page(job)],
  ],
  ['jobs.get', (c) => c.jobs.get(6), ['GET', '/jobs/6/'], [200, job]],
  [
    'jobs.create',
    (c) => c.jobs.create({ name: 'night', project_id: 3, pipeline_id: 1 }),
    ['POST', '/jobs/', {}, { name: 'night', project_id: 3, delay: 0, pipeline_id: 1 }],
    [201, job],
  ],
  [
    'jobs.create and start',
    (c) => c.jobs.create({ name: 'night', project_id: 3 }, { start: true }),
    ['POST', '/jobs/', { start_now: '1' }, { name: 'night', project_id: 3, delay: 0 }],
    [201, job],
  ],
  ['jobs.run', (c) => c.jobs.run(6), ['POST', '/jobs/6/run/'], [200, job]],
  ['jobs.cancel', (c) => c.jobs.cancel(6), ['POST', '/jobs/6/cancel/'], [200, job]],
  ['jobs.retry', (c) => c.jobs.retry(6), ['POST', '/jobs/6/retry/'], [200, job]],
  [
    'tasks.reserve',
    (c) => c.tasks.reserve(6, { batchSize: 4 }),
    ['POST', '/jobs/6/tasks/', {}, { batch_size: 4 }],
    [200, { tasks: [] }],
  ],
  [
    'results.submit',
    (c) => c.results.submit(6, []),
    ['POST', '/jobs/6/result/', {}, { results: [] }],
    [200, { status: 'accepted', job_id: 6, results_queued: 0, tasks: [] }],
  ],
];

const CASES = ROWS.map(([name, call, request, answer, options]) => ({
  name,
  call,
  request,
  answer,
  options,
}));

describe.each(RECORDERS)('over %s', (carrier) => {
  it.each(CASES)(
    '$name sends what the contract says',
    async ({ name, call, request: wanted, answer, options }) => {
      const [method, path, query, body] = wanted;
      const { client, seen } = await record(
        carrier,
        () => [answer[0], answer[1]],
        options,
        (close) => closers.push(close),
      );
      await call(client);
      expect(seen).toHaveLength(1);
      const [request] = seen;
      expect(request).toMatchObject({ method, path: `/api/v2${path}`, query: query ?? {} });
      expect(request?.text === '' ? undefined : JSON.parse(request?.text ?? '')).toEqual(body);
      expect(request?.headers['accept']).toBe('application/json');
      expect(request?.headers['content-type']).toBe(body === undefined ? undefined : 'application/json');
      // The login alone is sent without a credential (T13): a stale one turns it into a 401.
      const credential = options?.token === undefined ? `Api-Key ${KEY}` : `Token ${TOKEN}`;
      expect(request?.headers['authorization']).toBe(name === 'auth.login' ? undefined : credential);
      if (carrier === 'socket') {
        // A chunked body is read as an empty one (T2).
        expect(request?.headers['transfer-encoding']).toBeUndefined();
        const length = Buffer.byteLength(request?.text ?? '');
        expect(request?.headers['content-length']).toBe(method === 'GET' ? undefined : String(length));
      }
    },
  );

  it('a body of several megabytes has a length, and arrives whole (T2)', async () => {
    const answer = { status: 'accepted', job_id: 6, results_queued: 1, tasks: [] };
    const { client, seen } = await record(
      carrier,
      () => [200, answer],
      {},
      (close) => closers.push(close),
    );
    await client.results.submit(6, [
      { reply_subject: 's', result: { error: 'ü'.repeat(2_000_000), image_id: '1' } },
    ]);
    const [request] = seen;
    expect(request?.text.length).toBeGreaterThan(2_000_000);
    expect(() => JSON.parse(request?.text ?? '') as unknown).not.toThrow();
    if (carrier === 'socket') {
      expect(request?.headers['content-length']).toBe(String(Buffer.byteLength(request?.text ?? '')));
      expect(request?.headers['transfer-encoding']).toBeUndefined();
    }
  });
});
