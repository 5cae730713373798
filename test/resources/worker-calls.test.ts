import { AntennaConfigError, encodeResult, type TaskResult } from 'antenna-sdk';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { clientOver, closeAll, failure } from '../support/calls.js';
import type { RequestOptions } from '../../src/http/operation.js';

afterEach(closeAll);

/** A client that notes each body and query, over a server that agrees with everything. */
function agreeable(answer: unknown, options: Parameters<typeof clientOver>[1] = {}) {
  const bodies: string[] = [];
  const urls: URL[] = [];
  const client = clientOver((input, init) => {
    urls.push(new URL(input));
    bodies.push(Buffer.from(init.body ?? '').toString());
    return Promise.resolve(Response.json(answer));
  }, options);
  return { client, bodies, urls };
}

describe('jobs.open', () => {
  const answer = {
    count: 1,
    next: 'https://antenna.example/?offset=1',
    previous: null,
    results: [{ id: 6, pipeline_slug: null }],
  };

  it('asks for running jobs with an explicit limit, in one request (T17)', async () => {
    const { client, urls } = agreeable(answer);
    expect(await client.jobs.open({ pipelines: ['moths', 'bees'] })).toMatchObject([{ id: 6 }]);
    expect(urls).toHaveLength(1);
    expect(Object.fromEntries(urls[0]?.searchParams ?? [])).toEqual({
      ids_only: '1',
      status: 'STARTED',
      dispatch_mode: 'async_api',
      pipeline__slug__in: 'moths,bees',
      limit: '200',
    });
  });

  it('names a project with the filter that the server does not ignore (T16)', async () => {
    const { client, urls } = agreeable(answer);
    await client.jobs.open({ pipelines: ['moths'], project: 3, limit: 7 });
    expect(urls[0]?.searchParams.get('project')).toBe('3');
    expect(urls[0]?.searchParams.get('limit')).toBe('7');
    expect(urls[0]?.searchParams.has('project_id')).toBe(false);
  });

  it.each([
    [{ pipelines: [] }, 'pipelines'],
    [{ pipelines: [''] }, 'pipelines'],
    [{ pipelines: ['a,b'] }, 'pipelines'],
    [{ pipelines: ['a'], limit: 0 }, 'limit'],
    [{ pipelines: ['a'], limit: -1 }, 'limit'],
    [{ pipelines: ['a'], limit: Number.NaN }, 'limit'],
  ])('sends no filter that the server would read as another: %o (T18)', async (query, path) => {
    const { client, urls } = agreeable(answer);
    expect(await failure(client.jobs.open(query))).toMatchObject({ code: 'config', issues: [{ path }] });
    expect(urls).toEqual([]);
  });

  it.each([{}, { count: 0 }, { count: 1, next: null, results: [{ pipeline_slug: 'a' }] }, [], 'jobs'])(
    'never takes %j for "no jobs"',
    async (odd) => {
      expect(await failure(agreeable(odd).client.jobs.open({ pipelines: ['a'] }))).toMatchObject({
        code: 'contract_off_schema',
      });
    },
  );
});

describe('jobs', () => {
  it('shows an unknown status, half a progress and new fields as they are (T43)', async () => {
    const job = {
      id: 6,
      status: 'BRAND_NEW',
      pipeline: null,
      progress: {
        summary: { status: 'STARTED', progress: 0 },
        stages: [{ key: 'process', status: 'CREATED', progress: 0, params: [{ key: 'failed', value: '' }] }],
      },
      invented: true,
    };
    expect(await agreeable(job).client.jobs.get(6)).toMatchObject(job);
  });

  it('rejects rather than throws for a wrong job, naming each field', async () => {
    const { client, urls } = agreeable({});
    const error = await failure(client.jobs.create({ name: '', project_id: -1 }));
    expect(error).toBeInstanceOf(AntennaConfigError);
    expect(error['issues']).toMatchObject([{ path: 'name' }, { path: 'project_id' }]);
    expect(urls).toEqual([]);
  });
});

describe('tasks.reserve', () => {
  const task = {
    id: '18',
    image_id: '18',
    image_url: 'https://i.example/1.jpg',
    reply_subject: '$JS.ACK.x.1.2',
  };

  it('gives the tasks with their ids as text, whatever the server makes of them (T41)', async () => {
    const { client } = agreeable({ tasks: [{ ...task, id: 18, image_id: 18, config: null, more: 1 }] });
    expect(await client.tasks.reserve(6, { batchSize: 1 })).toEqual([{ ...task, config: null, more: 1 }]);
  });

  it.each([0, -1, 1.5, Number.NaN, '3', null, undefined])(
    'refuses batchSize %j by its name',
    async (batchSize) => {
      const { client, urls } = agreeable({ tasks: [] });
      const error = await failure(client.tasks.reserve(6, { batchSize } as { batchSize: number }));
      expect(error).toMatchObject({ code: 'config', issues: [{ path: 'batchSize' }] });
      expect(urls).toEqual([]);
    },
  );

  it.each([
    {},
    { tasks: null },
    { tasks: {} },
    { tasks: [{ ...task, reply_subject: null }] },
    { tasks: [{ ...task, image_url: '' }] },
    { tasks: [{ ...task, image_id: null }] },
    [],
  ])('never takes %j for "no tasks"', async (odd) => {
    expect(await failure(agreeable(odd).client.tasks.reserve(6, { batchSize: 1 }))).toMatchObject({
      code: 'contract_off_schema',
    });
  });

  it('says who is asking, or leaves the field out: null is a 400 (T35)', async () => {
    const { client, bodies } = agreeable({ tasks: [] }, { clientInfo: { site: 'meadow' } });
    await client.tasks.reserve(6, { batchSize: 1 });
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject({
      batch_size: 1,
      client_info: { site: 'meadow', software: 'antenna-sdk' },
    });
    const silent = agreeable({ tasks: [] }, { clientInfo: false });
    await silent.client.tasks.reserve(6, { batchSize: 1 });
    expect(silent.bodies).toEqual(['{"batch_size":1}']);
  });
});

const classification = {
  classification: 'Actias luna',
  scores: [0.25, 0.75],
  algorithm: { name: 'Species', key: 'species' },
  timestamp: '2026-11-20T21:56:08.426Z',
};
const detection = {
  source_image_id: '18',
  bbox: { x1: 0.1, y1: 2, x2: 3.5, y2: 4 },
  algorithm: { name: 'Box', key: 'box' },
  timestamp: '2026-11-20T21:56:08.426Z',
  classifications: [classification],
};
const success = {
  pipeline: 'moths',
  total_time: 1.5,
  source_images: [{ id: '18', url: 'https://i.example/1.jpg' }],
  detections: [detection],
};
const result = (inner: object, reply_subject: unknown = '$JS.ACK.x'): TaskResult =>
  ({ reply_subject, result: inner }) as TaskResult;
const accepted = { status: 'accepted', job_id: 6, results_queued: 1, tasks: [] };

describe('results.submit', () => {
  it('sends results as they are, byte for byte and in order, encoded before or not (T38)', async () => {
    const { client, bodies } = agreeable(accepted, { clientInfo: { site: 'm' } });
    const results = [result(success), result({ error: 'broken image', image_id: '19' }, 'second')];
    await client.results.submit(6, results);
    await client.results.submit(
      6,
      results.map((each) => encodeResult(each)),
    );
    expect(bodies[0]).toBe(bodies[1]);
    const sent = JSON.parse(bodies[0] ?? '') as { results: unknown[]; client_info: object };
    expect(sent.results).toEqual(results);
    expect(bodies[0]).toContain(JSON.stringify(results).slice(1, -1));
    expect(sent.client_info).toMatchObject({ site: 'm' });
  });

  it('writes scores and logits of any array, float32 as short as may be', () => {
    const lists = (scores: ArrayLike<number>, logits: ArrayLike<number>) =>
      result({
        ...success,
        detections: [detection, { ...detection, classifications: [{ ...classification, scores, logits }] }],
      });
    const { bytes } = encodeResult(lists(Float32Array.of(0.1, 0.9), Float64Array.of(1 / 3, -2)));
    expect(bytes.toString()).toBe(JSON.stringify(lists([0.1, 0.9], [1 / 3, -2])));
  });

  it('lets features and the rotation of a box pass, which servers to come take, and no other field', async () => {
    const features = [0.25, 1];
    const coming = { ...detection, rotation: 12, features: Float32Array.from(features) };
    const { bytes } = encodeResult(
      result({ ...success, detections: [{ ...coming, classifications: [{ ...classification, features }] }] }),
    );
    expect(JSON.parse(bytes.toString())).toMatchObject({
      result: { detections: [{ rotation: 12, features, classifications: [{ features }] }] },
    });
    const { client, bodies } = agreeable(accepted);
    const misspelt = result({ ...success, detections: [{ ...detection, feature: features }] });
    expect((await failure(client.results.submit(6, [misspelt]))).message).toContain('feature');
    expect(bodies).toEqual([]);
  });

  it.each([
    ['an error without its image (T27)', result({ error: 'e' }), 'results.0.result.image_id'],
    ['an error with an empty image (T27)', result({ error: 'e', image_id: '' }), 'results.0.result.image_id'],
    [
      'a success without an image (T27)',
      result({ ...success, source_images: [], detections: [] }),
      'results.0.result.source_images',
    ],
    [
      'a success with two images (T34)',
      result({ ...success, source_images: [success.source_images[0], { id: '19', url: '' }] }),
      'results.0.result.source_images',
    ],
    ['a success with an error field (T36)', result({ ...success, error: 'but' }), 'results.0.result'],
    [
      'a malformed success with an error field (T36)',
      result({ pipeline: 'p', error: 'e', image_id: '1' }),
      'results.0.result.total_time',
    ],
    ['no reply subject (T35)', { result: success } as unknown as TaskResult, 'results.0.reply_subject'],
    ['a reply subject of null (T35)', result(success, null), 'results.0.reply_subject'],
    ['an empty reply subject', result(success, ''), 'results.0.reply_subject'],
    [
      'a detection on another image (T38)',
      result({ ...success, detections: [{ ...detection, source_image_id: '19' }] }),
      'results.0.result.detections.0.source_image_id',
    ],
    [
      'an image id that is a number (T41)',
      result({ ...success, source_images: [{ id: 18, url: '' }] }),
      'results.0.result.source_images.0.id',
    ],
    [
      'a box that is an array (T42)',
      result({ ...success, detections: [{ ...detection, bbox: [1, 2, 3, 4] }] }),
      'results.0.result.detections.0.bbox',
    ],
    [
      'a box with NaN',
      result({ ...success, detections: [{ ...detection, bbox: { x1: Number.NaN, y1: 0, x2: 1, y2: 1 } }] }),
      'results.0.result.detections.0.bbox.x1',
    ],
    [
      'a naive time (T40)',
      result({ ...success, detections: [{ ...detection, timestamp: '2026-11-20T21:56:08' }] }),
      'results.0.result.detections.0.timestamp',
    ],
    [
      'no scores (T39)',
      result({
        ...success,
        detections: [{ ...detection, classifications: [{ ...classification, scores: [] }] }],
      }),
      'results.0.result.detections.0.classifications.0.scores',
    ],
    [
      'scores with a hole',
      result({
        ...success,
        detections: [{ ...detection, classifications: [{ ...classification, scores: [0.1, Number.NaN] }] }],
      }),
      'results.0.result.detections.0.classifications.0.scores',
    ],
    [
      'a typed array with a hole in its values',
      result({
        ...success,
        detections: [
          {
            ...detection,
            classifications: [{ ...classification, scores: Float32Array.of(0.1, Number.NaN) }],
          },
        ],
      }),
      'results.0.result.detections.0.classifications.0.scores',
    ],
    ['nothing at all', undefined as unknown as TaskResult, 'results.0'],
    ['null', null as unknown as TaskResult, 'results.0'],
    ['a bare success', success as unknown as TaskResult, 'results.0.reply_subject'],
  ] as [string, TaskResult, string][])(
    'sends nothing when one result is wrong: %s',
    async (_, wrong, path) => {
      const { client, bodies } = agreeable(accepted);
      const error = await failure(client.results.submit(6, [wrong]));
      expect(error).toBeInstanceOf(AntennaConfigError);
      expect((error['issues'] as { path: string }[]).map((issue) => issue.path)).toContain(path);
      expect(bodies).toEqual([]);
    },
  );

  it('names the wrong fields of all results at once (T33)', async () => {
    const { client, bodies } = agreeable(accepted);
    const results = [result({ error: 'e' }), result(success), result(success, null)];
    const error = await failure(client.results.submit(6, results));
    expect(error.message).toContain('results.0.result.image_id');
    expect(error.message).toContain('results.2.reply_subject');
    expect(error.message).not.toContain('results.1');
    expect(bodies).toEqual([]);
  });

  it('takes an empty list for what it is, a sign of life', async () => {
    const { client, bodies } = agreeable({ ...accepted, results_queued: 0 });
    expect(await client.results.submit(6, [])).toMatchObject({ results_queued: 0 });
    expect(bodies).toEqual(['{"results":[]}']);
  });

  it.each([
    {},
    { status: 'accepted' },
    { status: 'accepted', job_id: 6, results_queued: 'one' },
    { detail: 'ok' },
  ])('never takes %j for an acceptance', async (odd) => {
    expect(await failure(agreeable(odd).client.results.submit(6, []))).toMatchObject({
      code: 'contract_off_schema',
    });
  });

  it('joins any results to one JSON document', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 });
    return fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ error: text, image_id: text }), { maxLength: 6 }),
        async (errors) => {
          const { client, bodies } = agreeable(accepted);
          const results = errors.map((error, index) => result(error, `s${index}`));
          await client.results.submit(6, results);
          expect((JSON.parse(bodies[0] ?? '') as { results: unknown }).results).toEqual(
            JSON.parse(JSON.stringify(results)),
          );
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('every method', () => {
  it.each([-1, 1.5, Number.NaN, '../users', ''] as never[])(
    'takes no id such as %j out of its place in the path',
    async (id) => {
      const options: RequestOptions = { retries: 0 };
      const { client, urls } = agreeable({});
      for (const call of [
        () => client.jobs.get(id, options),
        () => client.tasks.reserve(id, { batchSize: 1 }, options),
        () => client.results.submit(id, [], options),
        () => client.projects.get(id, options),
        () => client.pipelines.listForProject(id, {}, options),
      ]) {
        await failure(call());
      }
      for (const { pathname } of urls) expect(pathname).toMatch(/^\/api\/v2\/(?:jobs|projects)\/[^/]+\//);
    },
  );
});
