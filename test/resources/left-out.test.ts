import { inspect } from 'node:util';
import type { LeftOut, LogMethod } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { clientOver, closeAll, failure } from '../support/calls.js';

afterEach(closeAll);

const task = (id: number) => ({
  id: `${id}`,
  image_id: `${id}`,
  image_url: `https://img.example.org/${id}.jpg?X-Amz-Signature=hush`,
  reply_subject: `$JS.ACK.a.${id}`,
});
const tasks = Array.from({ length: 24 }, (_, index) => task(index));

/** A client whose server answers every request so, and what `onLeftOut` and the log were told. */
function serving(body: object | ((url: URL) => unknown)) {
  const told: { leftOut: LeftOut; operation: string; path: string }[] = [];
  const warnings: unknown[] = [];
  const quiet: LogMethod = () => undefined;
  const client = clientOver(
    (input) =>
      Promise.resolve(
        Response.json(typeof body === 'function' ? (body as (url: URL) => unknown)(new URL(input)) : body),
      ),
    {
      onLeftOut: (leftOut, request) => told.push({ leftOut, ...request }),
      logger: {
        debug: quiet,
        info: quiet,
        error: quiet,
        warn: (fields, text) => warnings.push([fields, text]),
      },
    },
  );
  return { client, told, warnings };
}

const pageOf = (results: unknown[], next: string | null = null, previous: string | null = null) => ({
  count: results.length,
  next,
  previous,
  results,
});

describe('a reservation of 24 tasks', () => {
  it.each([
    ['whose image_url is empty', { ...task(23), image_url: '' }],
    ['whose image_url is null', { ...task(23), image_url: null }],
    ['without a reply_subject', { ...task(23), reply_subject: undefined }],
    ['whose reply_subject is empty', { ...task(23), reply_subject: '' }],
    ['that is null', null],
    ['that is a text', 'task'],
    ['whose configuration is a text', { ...task(23), config: 'fast' }],
  ])('gives the other 23 when there is one %s', async (_, bad) => {
    const { client, told } = serving({ tasks: [...tasks.slice(0, 23), bad] });
    const taken = await client.tasks.reserve(5, { batchSize: 24 });
    expect(taken).toEqual(tasks.slice(0, 23));
    expect(taken.leftOut).toMatchObject([{ path: 'tasks.23' }]);
    expect(told).toMatchObject([{ operation: 'tasks.reserve', path: '/jobs/5/tasks/' }]);
  });

  it('without a single usable task is a contract error that holds them', async () => {
    const bad = [{ ...task(1), image_url: '' }, null];
    const error = await failure(serving({ tasks: bad }).client.tasks.reserve(5, { batchSize: 2 }));
    expect(error).toMatchObject({
      code: 'contract_off_schema',
      bodyPath: 'tasks.0.image_url',
      leftOut: [{ path: 'tasks.0', id: '1' }, { path: 'tasks.1' }],
    });
  });

  it('tells nobody a signed address', async () => {
    const { client, warnings } = serving({ tasks: [{ ...task(1), reply_subject: null }] });
    const error = await failure(client.tasks.reserve(5, { batchSize: 2 }));
    const { client: other, warnings: more } = serving({ tasks: [task(2), { ...task(1), reply_subject: 5 }] });
    const taken = await other.tasks.reserve(5, { batchSize: 2 });
    const shown = inspect([error, taken.leftOut, warnings, more], { depth: 9, showHidden: true });
    expect(shown).not.toContain('hush');
    expect(JSON.stringify([error, taken.leftOut, warnings, more])).not.toContain('hush');
    expect(more).toHaveLength(1);
  });

  it('has no leftOut when all is well, and copies as before', async () => {
    const taken = await serving({ tasks }).client.tasks.reserve(5, { batchSize: 24 });
    expect(taken.leftOut).toBeUndefined();
    expect(Object.keys(taken)).toHaveLength(24);
  });
});

describe('a list', () => {
  it.each([
    ['an id that is no number', { id: 'six', pipeline_slug: 'moths' }],
    ['a slug of another type', { id: 6, pipeline_slug: 5, at: 1 }],
    ['nothing in it', null],
  ])('of open jobs gives the others when one has %s', async (_, bad) => {
    const good = { id: 7, pipeline_slug: 'moths' };
    const open = await serving(pageOf([bad, good])).client.jobs.open({ pipelines: ['moths'] });
    expect(open).toContainEqual(good);
    expect(open.leftOut).toHaveLength(1);
  });

  it('tells of a bad item once, however often it is polled, and of another one too', async () => {
    let bad: unknown[] = [{ id: 'six', pipeline_slug: 'moths' }];
    const { client, told, warnings } = serving(() => pageOf([{ id: 7, pipeline_slug: 'moths' }, ...bad]));
    const poll = () => client.jobs.open({ pipelines: ['moths'] });
    for (let count = 0; count < 5; count++) expect((await poll()).leftOut).toHaveLength(1);
    expect([told.length, warnings.length]).toEqual([1, 1]);
    // At another place it is the same.
    bad = [{ id: 8, pipeline_slug: 'moths' }, ...bad];
    await poll();
    expect(told).toHaveLength(1);
    bad = [null, ...bad];
    await poll();
    expect(told).toHaveLength(2);
  });

  it('names what was left out on each page, in arrays, and in the answers with lists inside', async () => {
    const project = (id: number) => ({ id, name: `p${id}` });
    const { client, told } = serving((url: URL) =>
      url.searchParams.get('offset') === '2'
        ? pageOf([{ id: 'x', name: 'bad' }], null, 'https://antenna.example/?limit=2')
        : pageOf([project(1), { id: 2, name: 5 }], 'https://antenna.example/?limit=2&offset=2'),
    );
    const list = client.projects.list({ limit: 2 });
    expect((await list).leftOut).toMatchObject([{ path: 'results.1', id: '2' }]);
    const all = await list.toArray(10);
    expect(all).toEqual([project(1)]);
    expect(all.leftOut).toHaveLength(2);
    const ids: number[] = [];
    for await (const { id } of client.projects.list({ limit: 2 })) ids.push(id);
    expect(ids).toEqual([1]);
    expect(told).toHaveLength(2);
  });

  it('of which no item can be read is an error, on one page or on several', async () => {
    const bad = { id: 'uuid', name: 'of tomorrow' };
    const one = serving(pageOf([bad, bad])).client;
    expect(await failure(one.projects.list())).toMatchObject({ code: 'contract_off_schema' });
    expect(await failure(one.jobs.open({ pipelines: ['a'] }))).toMatchObject({ code: 'contract_off_schema' });
    const { client } = serving((url: URL) =>
      url.searchParams.get('offset') === '2'
        ? pageOf([bad, bad], null, 'https://antenna.example/?limit=2')
        : pageOf([bad, bad], 'https://antenna.example/?limit=2&offset=2'),
    );
    const error = await failure(client.projects.list({ limit: 2 }).toArray(10));
    expect(error).toMatchObject({ code: 'contract_off_schema', bodyPath: 'results.0' });
    expect(error['leftOut']).toHaveLength(4);
  });

  it('that is empty is empty, whatever else is damaged in its page', async () => {
    const page = await serving({ ...pageOf([]), previous: 5 }).client.projects.list();
    expect(page.results).toEqual([]);
    expect(page.leftOut).toMatchObject([{ path: 'previous' }]);
  });

  it('keeps its bad items named when it comes from the cache', async () => {
    const { client } = serving(pageOf([{ id: 1, name: 'p1' }, null]));
    const cached = clientOver(() => Promise.resolve(Response.json(pageOf([{ id: 1, name: 'p1' }, null]))), {
      cache: {},
    });
    await client.projects.list();
    await cached.projects.list();
    expect((await cached.projects.list()).leftOut).toHaveLength(1);
    expect(cached.cache.stats().hits).toBe(1);
  });
});

describe('inside of one answer', () => {
  it('a bad stage, algorithm or field costs itself', async () => {
    const stage = { key: 'process', status: 'STARTED', progress: 0.5 };
    const job = {
      id: 1,
      status: 'STARTED',
      duration: 5,
      progress: { summary: stage, stages: [stage, null] },
    };
    const answer = await serving(job).client.jobs.get(1);
    expect(answer).toMatchObject({ id: 1, progress: { stages: [stage] } });
    expect(answer.duration).toBeUndefined();
  });

  it('an error in the hook stops no call', async () => {
    const client = clientOver(() => Promise.resolve(Response.json({ tasks: [task(1), null] })), {
      onLeftOut: () => {
        throw new Error('mine');
      },
    });
    expect(await client.tasks.reserve(1, { batchSize: 2 })).toHaveLength(1);
  });

  it('a registration reports what it could not read back', async () => {
    const algorithm = { name: 'Box', key: 'box', task_type: 'detection' };
    const config = { name: 'Moths', slug: 'moths', version: 1, algorithms: [algorithm] };
    const stored = { id: 1, name: 'Moths', slug: 'moths', algorithms: [algorithm, { name: 'no key' }] };
    const client = clientOver((_input, { method }) =>
      Promise.resolve(
        Response.json(
          method === 'POST'
            ? { success: true, pipelines: [], pipelines_created: ['moths', 5] }
            : pageOf([stored, null]),
        ),
      ),
    );
    const report = await client.pipelines.register(1, [config]);
    expect(report).toMatchObject({ ok: true, pipelines: [{ slug: 'moths' }] });
    expect(report.leftOut?.map(({ path }) => path)).toEqual([
      'pipelines_created.1',
      'results.0.algorithms.1',
      'results.1',
    ]);
  });
});
