import {
  AntennaClient,
  AntennaConfigError,
  silentLogger,
  type AntennaClientOptions,
  type PipelineConfig,
  type TaskResult,
} from 'antenna-sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendJson, stubServer, type StubServer } from '../support/stub-server.js';

const KEY = `abcdefgh.${'k'.repeat(32)}`;
const TOKEN = '0123456789abcdef0123456789abcdef01234567';
const page = (results: unknown[]) => ({ count: results.length, next: null, previous: null, results });
const job = { id: 5, status: 'STARTED' };
const service = { id: 3, name: 'w' };

/** Answers as the server does, by method and path. */
const ANSWERS: readonly [RegExp, number, unknown][] = [
  [/^GET \/users\/me\//, 200, { id: 4, name: '', email: 'a@b.c' }],
  [/^POST \/auth\/token\/logout\//, 204, undefined],
  [/^GET \/projects\/\?/, 200, page([{ id: 1, name: 'Meadow' }])],
  [/^GET \/projects\/1\/pipelines\//, 200, page([])],
  [
    /^POST \/projects\/1\/pipelines\//,
    201,
    { success: true, pipelines: [], pipelines_created: ['a', 'alg'], algorithms_created: [] },
  ],
  [/^GET \/projects\/1\//, 200, { id: 1, name: 'Meadow' }],
  [/^GET \/ml\/pipelines\/2\//, 200, { id: 2, name: 'A', slug: 'a', algorithms: [] }],
  [/^GET \/ml\/pipelines\//, 200, page([])],
  [
    /^POST \/ml\/processing_services\/3\/generate_key\//,
    200,
    { api_key: KEY, prefix: 'abcdefgh', message: 'm' },
  ],
  [
    /^GET \/ml\/processing_services\/3\/status\//,
    200,
    { timestamp: 't', request_successful: true, server_live: true, pipelines_online: [] },
  ],
  [/^GET \/ml\/processing_services\/3\//, 200, service],
  [/^GET \/ml\/processing_services\//, 200, page([service])],
  [/^POST \/ml\/processing_services\//, 201, { instance: service, status: undefined }],
  [/^GET \/jobs\/\?/, 200, page([{ ...job, pipeline_slug: 'a' }])],
  [
    /^POST \/jobs\/5\/tasks\//,
    200,
    { tasks: [{ id: 18, image_id: '18', image_url: 'https://i/1.jpg', reply_subject: 's' }] },
  ],
  [/^POST \/jobs\/5\/result\//, 200, { status: 'accepted', job_id: 5, results_queued: 1, tasks: [] }],
  [/^(?:GET|POST) \/jobs\/5\//, 200, job],
  [/^POST \/jobs\//, 201, job],
];

let stub: StubServer;
let client: AntennaClient;

const connect = (options: AntennaClientOptions = {}) =>
  new AntennaClient({ baseUrl: stub.url, apiKey: KEY, clientInfo: false, logger: silentLogger, ...options });
const last = () => {
  const request = stub.seen.at(-1);
  return {
    call: `${request?.method ?? ''} ${request?.url.replace('/api/v2', '') ?? ''}`,
    body: request?.body ?? '',
  };
};

beforeEach(async () => {
  stub = await stubServer((request, response) => {
    const call = `${request.method} ${request.url.replace('/api/v2', '')}`;
    const [, status, body] = ANSWERS.find(([pattern]) => pattern.test(call)) ?? [
      undefined,
      404,
      { detail: 'Not found.' },
    ];
    if (body === undefined) response.writeHead(status).end();
    else sendJson(response, status, body);
  });
  client = connect();
});
afterEach(async () => {
  await client.close();
  await stub.close();
});

describe('every method sends what the contract says', () => {
  it.each<[string, () => Promise<unknown>, string, unknown?]>([
    ['auth.me', () => client.auth.me(), 'GET /users/me/'],
    ['auth.logout', () => client.auth.logout(), 'POST /auth/token/logout/'],
    [
      'projects.list',
      () => client.projects.list({ limit: 5, user_id: 4 }).toArray(9),
      'GET /projects/?limit=5&user_id=4',
    ],
    ['projects.get', () => client.projects.get(1), 'GET /projects/1/?with_charts=false'],
    [
      'pipelines.list',
      () => client.pipelines.list({ project_id: 1 }).toArray(9),
      'GET /ml/pipelines/?project_id=1',
    ],
    [
      'pipelines.listForProject',
      () => client.pipelines.listForProject(1).toArray(9),
      'GET /projects/1/pipelines/',
    ],
    ['pipelines.get', () => client.pipelines.get(2), 'GET /ml/pipelines/2/'],
    [
      'pipelines.register',
      () => client.pipelines.register(1, []),
      'POST /projects/1/pipelines/',
      { pipelines: [] },
    ],
    [
      'processingServices.list',
      () => client.processingServices.list(1).toArray(9),
      'GET /ml/processing_services/?project_id=1',
    ],
    [
      'processingServices.get',
      () => client.processingServices.get(1, 3),
      'GET /ml/processing_services/3/?project_id=1',
    ],
    [
      'processingServices.status',
      () => client.processingServices.status(3),
      'GET /ml/processing_services/3/status/',
    ],
    [
      'processingServices.create',
      () => client.processingServices.create(1, { name: ' w ' }),
      'POST /ml/processing_services/?project_id=1',
      { name: 'w' },
    ],
    [
      'processingServices.generateKey',
      () => client.processingServices.generateKey(1, 3),
      'POST /ml/processing_services/3/generate_key/?project_id=1',
    ],
    [
      'jobs.list',
      () => client.jobs.list({ status: 'STARTED', project: 1 }).toArray(9),
      'GET /jobs/?status=STARTED&project=1',
    ],
    ['jobs.get', () => client.jobs.get(5), 'GET /jobs/5/'],
    ['jobs.run', () => client.jobs.run(5), 'POST /jobs/5/run/'],
    ['jobs.cancel', () => client.jobs.cancel(5), 'POST /jobs/5/cancel/'],
    ['jobs.retry', () => client.jobs.retry(5), 'POST /jobs/5/retry/'],
    [
      'jobs.create',
      () => client.jobs.create({ name: 'n', project_id: 1 }, { start: true }),
      'POST /jobs/?start_now=1',
      { name: 'n', project_id: 1, delay: 0 },
    ],
    [
      'tasks.reserve',
      () => client.tasks.reserve(5, { batchSize: 3 }),
      'POST /jobs/5/tasks/',
      { batch_size: 3 },
    ],
    ['results.submit', () => client.results.submit(5, []), 'POST /jobs/5/result/', { results: [] }],
  ])('%s', async (_name, call, expected, body) => {
    await call();
    expect(last().call).toBe(expected);
    expect(last().body).toBe(body === undefined ? '' : JSON.stringify(body));
  });

  it('lists open jobs by status with an explicit limit, since without one a server may answer one at random (T17, T18)', async () => {
    await client.jobs.open({ pipelines: ['a', 'b'], project: 1 });
    expect(last().call).toBe(
      'GET /jobs/?ids_only=1&status=STARTED&dispatch_mode=async_api&pipeline__slug__in=a%2Cb&project=1&limit=200',
    );
  });

  it('filters by project=, which is an error for a project that does not exist, never by project_id= (T16)', async () => {
    await client.jobs.open({ pipelines: ['a'], project: 1 });
    expect(last().call).not.toContain('project_id');
  });

  it('never lists the jobs of every pipeline by mistake (T18)', async () => {
    await expect(client.jobs.open({ pipelines: [] })).rejects.toThrow('at least one pipeline slug');
    await expect(client.jobs.open({ pipelines: [''] })).rejects.toThrow('at least one pipeline slug');
    await expect(client.jobs.open({ pipelines: ['a,b'] })).rejects.toThrow('contains a comma');
    expect(stub.seen).toEqual([]);
  });

  it('hands out task ids as text, whatever the server writes (T41)', async () => {
    const [task] = await client.tasks.reserve(5, { batchSize: 1 });
    expect(task).toMatchObject({ id: '18', image_id: '18' });
  });

  it('unwraps a created service (T49), and hands out a new key unprintable', async () => {
    expect(await client.processingServices.create(1, { name: 'w' })).toMatchObject(service);
    const key = await client.processingServices.generateKey(1, 3);
    expect(key.api_key.reveal()).toBe(KEY);
    expect(`${key.api_key.toString()} ${JSON.stringify(key)}`).not.toContain(KEY.slice(9, 21));
  });

  it('sends client_info with registration, tasks and results, and leaves it out rather than sending null (T35)', async () => {
    const informed = connect({ clientInfo: { gpu: 'none' } });
    await informed.tasks.reserve(5, { batchSize: 1 });
    await informed.results.submit(5, []);
    await informed.pipelines.register(1, []);
    for (const { body } of stub.seen)
      expect(JSON.parse(body)).toMatchObject({ client_info: { software: 'antenna-sdk', gpu: 'none' } });
    await client.tasks.reserve(5, { batchSize: 1 });
    expect(last().body).not.toContain('client_info');
    await informed.close();
  });

  it('refuses headers that carry the credential or frame the message', async () => {
    for (const name of ['Authorization', 'content-length', 'Host']) {
      await expect(client.projects.get(1, { headers: { [name]: 'x' } })).rejects.toThrow(AntennaConfigError);
    }
    await client.projects.get(1, { headers: { 'X-Trace': 'abc' } });
    expect(stub.seen.at(-1)?.headers['x-trace']).toBe('abc');
  });
});

describe('what the server would refuse or mangle is never sent', () => {
  const box = { x1: 1, y1: 1, x2: 2, y2: 2 };
  const algorithm = { name: 'Box', key: 'box' };
  const timestamp = '2026-01-01T00:00:00Z';
  const detection = { source_image_id: '18', bbox: box, algorithm, timestamp };
  const success = {
    pipeline: 'a',
    total_time: 1,
    source_images: [{ id: '18', url: '' }],
    detections: [detection],
  };
  const classification = { classification: 'x', scores: [1], algorithm, timestamp };

  it.each<[string, object, string]>([
    ['a result without its subject (T35)', { reply_subject: null, result: success }, 'reply_subject'],
    ['an error without its image (T27)', { reply_subject: 's', result: { error: 'no' } }, 'image_id'],
    [
      'a success without a source image (T27)',
      { reply_subject: 's', result: { ...success, source_images: [] } },
      'source_images',
    ],
    [
      'several images in one result (T34)',
      {
        reply_subject: 's',
        result: { ...success, source_images: [...success.source_images, ...success.source_images] },
      },
      'source_images',
    ],
    [
      'a success with an error in it (T36)',
      { reply_subject: 's', result: { ...success, error: 'x', image_id: '18' } },
      'error',
    ],
    [
      'a detection of another image (T38)',
      { reply_subject: 's', result: { ...success, detections: [{ ...detection, source_image_id: '19' }] } },
      'source_image_id',
    ],
    [
      'a box as an array (T42)',
      { reply_subject: 's', result: { ...success, detections: [{ ...detection, bbox: [1, 1, 2, 2] }] } },
      'bbox',
    ],
    [
      'a time without zone (T40)',
      {
        reply_subject: 's',
        result: { ...success, detections: [{ ...detection, timestamp: '2026-01-01T00:00:00' }] },
      },
      'timestamp',
    ],
    [
      'empty scores (T39)',
      {
        reply_subject: 's',
        result: {
          ...success,
          detections: [{ ...detection, classifications: [{ ...classification, scores: [] }] }],
        },
      },
      'scores',
    ],
  ])('%s', async (_name, result, field) => {
    const good: TaskResult = { reply_subject: 'good', result: success };
    const error = await client.results
      .submit(5, [good, result as TaskResult])
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AntennaConfigError);
    expect(String(error)).toContain('results.1.');
    expect(String(error)).toContain(field);
    expect(stub.seen).toEqual([]);
  });

  it.each([0, 1.5, -1, Number.NaN])('a batch size of %s', async (batchSize) => {
    await expect(client.tasks.reserve(5, { batchSize })).rejects.toThrow('batch_size');
    expect(stub.seen).toEqual([]);
  });

  it('a service without a name, or with one that breaks its keys (T49)', async () => {
    await expect(client.processingServices.create(1, { name: '' })).rejects.toThrow('name');
    await expect(client.processingServices.create(1, { name: 'x'.repeat(47) })).rejects.toThrow(
      'at most 46 characters',
    );
    expect(stub.seen).toEqual([]);
  });

  const detector = { key: 'd', name: 'D', task_type: 'detection' };
  const base: PipelineConfig = { name: 'A', slug: 'a', version: 1, algorithms: [detector] };
  it.each<[string, object[], string]>([
    ['no detector (T48)', [{ ...base, algorithms: [] }], 'pipelines.0.algorithms: needs exactly one'],
    [
      'a classifier without a map (T45)',
      [{ ...base, algorithms: [detector, { key: 'c', name: 'C', task_type: 'classification' }] }],
      'category_map: is required',
    ],
    [
      'one key with two versions (T45)',
      [base, { ...base, slug: 'b', name: 'B', algorithms: [{ ...detector, version: 2 }] }],
      'a new version needs a new key',
    ],
    [
      'one name and version with two keys (T45)',
      [base, { ...base, slug: 'b', name: 'B', algorithms: [{ ...detector, key: 'e' }] }],
      'a new key needs a new name or version',
    ],
    ['one slug twice', [base, base], '"a" is used twice'],
    [
      'one name and version under two slugs (T44)',
      [base, { ...base, slug: 'b' }],
      'would not create the slug "b"',
    ],
    ['an empty slug, which the server would invent', [{ ...base, slug: '' }], 'pipelines.0.slug'],
    ['a name over 255 characters, a 500', [{ ...base, name: 'x'.repeat(256) }], 'pipelines.0.name'],
    ['a misspelt field, which would be ignored', [{ ...base, algoritms: [] }], 'algoritms'],
    [
      'a map listed out of order',
      [
        {
          ...base,
          algorithms: [
            detector,
            {
              key: 'c',
              name: 'C',
              task_type: 'classification',
              category_map: { data: [{ index: 1, label: 'a' }] },
            },
          ],
        },
      ],
      'goes by position',
    ],
  ])('a registration with %s', async (_name, pipelines, message) => {
    await expect(client.pipelines.register(1, pipelines as PipelineConfig[])).rejects.toThrow(message);
    expect(stub.seen).toEqual([]);
  });

  it('a registration whose dialect or service is not known', async () => {
    const token = connect({ apiKey: undefined, token: TOKEN });
    const gateway = connect({ apiKey: undefined, header: { name: 'x-key', value: 'v' } });
    await expect(token.pipelines.register(1, [])).rejects.toThrow('serviceName: is required');
    await expect(gateway.pipelines.register(1, [])).rejects.toThrow(
      'dialect: cannot be told from this credential',
    );
    await token.pipelines.register(1, [], { serviceName: 'w' });
    expect(last().body).toBe(JSON.stringify({ processing_service_name: 'w', pipelines: [] }));
    await Promise.all([token.close(), gateway.close()]);
  });
});
