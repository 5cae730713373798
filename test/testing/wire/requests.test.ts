import { describe, expect, it } from 'vitest';
import { createWorld } from '../helpers.js';

describe('habits of the real server on HTTP', () => {
  it('checks the body of tasks before anything else, and credentials before the body of results', async () => {
    const { call } = createWorld();
    const anonymous = { authorization: null };
    expect((await call('POST', '/jobs/999/tasks/', { batch_size: 0 }, anonymous)).status).toBe(400);
    expect((await call('POST', '/jobs/999/result/', {}, anonymous)).status).toBe(404);
  });

  it('redirects a path without its final slash, for every method, with the query kept', async () => {
    const { call } = createWorld();
    const answer = await call('POST', '/jobs/1/tasks?x=1', { batch_size: 1 });
    expect(answer.status).toBe(301);
    expect(answer.headers.get('location')).toBe('/api/v2/jobs/1/tasks/?x=1');
  });

  it('answers unknown routes and crashes with HTML, also under JSON’s Accept', async () => {
    const { call } = createWorld();
    for (const [path, status] of [
      ['/nope/', 404],
      ['/projects/abc/pipelines/', 500],
    ] as const) {
      const answer = await call('GET', path);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
      expect(answer.headers.get('allow')).toBeNull();
    }
  });

  it.each([
    ['GET', '/jobs/1/tasks/', 405, {}],
    ['GET', '/jobs/', 406, { accept: 'image/png' }],
    ['POST', '/jobs/1/tasks/', 415, { 'content-type': 'text/csv' }],
    ['POST', '/jobs/1/tasks/', 415, { 'content-type': '' }],
  ] as const)('%s %s → %i', async (method, path, status, headers) => {
    const { call, project, pipeline } = createWorld();
    project.job({ pipeline, images: 1 });
    const answer = await call(method, path, method === 'POST' ? { batch_size: 1 } : undefined, { headers });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('allow')).not.toBeNull();
  });

  it('answers HEAD without a body and OPTIONS with the allowed methods', async () => {
    const { call } = createWorld();
    expect(await call('HEAD', '/jobs/')).toMatchObject({ status: 200, body: '' });
    expect((await call('OPTIONS', '/jobs/')).headers.get('allow')).toBe('GET, POST, HEAD, OPTIONS');
  });

  it('cannot read a compressed body', async () => {
    const { call } = createWorld();
    const answer = await call('POST', '/jobs/1/tasks/', '\u001f', {
      headers: { 'content-encoding': 'gzip' },
    });
    expect(answer.status).toBe(400);
  });

  it('reads multipart forms', async () => {
    const { server, key, project, pipeline } = createWorld();
    const job = project.job({ pipeline, images: 2 });
    const form = new FormData();
    form.set('batch_size', '2');
    const answer = await server.fetch(`${server.baseUrl}/jobs/${job.id}/tasks/`, {
      method: 'POST',
      headers: { authorization: `Api-Key ${key.value}` },
      body: form,
    });
    expect(((await answer.json()) as { tasks: unknown[] }).tasks).toHaveLength(2);
  });

  it('limits what is nested in pipelines to the project that the list is asked for', async () => {
    const { call, server, project, service, pipeline } = createWorld();
    const heath = server.project({ name: 'Heath' });
    service.join(heath);
    const other = heath.service({ name: 'worker-b' });
    pipeline.enableIn(heath);
    heath.pipeline({ slug: 'flies', services: [other] });
    await call('GET', '/projects/');
    const nested = async (query: string) => {
      const { body } = await call('GET', `/ml/pipelines/${query}`);
      const { results } = body as {
        results: {
          slug: string;
          processing_services: { name: string }[];
          project_pipeline_configs: { project: string }[];
        }[];
      };
      return results.map((row) => [
        row.slug,
        row.processing_services.map(({ name }) => name),
        row.project_pipeline_configs.map((config) => Number(config.project.split('/').at(-2))),
      ]);
    };
    expect(await nested('')).toEqual([
      ['flies', ['worker-b'], [heath.id]],
      ['moths', ['worker-a'], [project.id, heath.id]],
    ]);
    expect(await nested(`?project_id=${heath.id}`)).toEqual([
      ['flies', ['worker-b'], [heath.id]],
      ['moths', ['worker-a'], [heath.id]],
    ]);
    // A project that does not exist filters nothing (T16).
    expect(await nested('?project_id=999')).toEqual(await nested(''));
    expect(await nested(`?project_id=${project.id}`)).toEqual([['moths', ['worker-a'], [project.id]]]);
  });

  it('token: lists one random job per ids_only poll; api-key up to twenty, newest first (T17)', async () => {
    const seen = new Set<string>();
    const world = createWorld({ dialect: 'token' });
    for (let index = 0; index < 5; index++) world.project.job({ pipeline: world.pipeline, images: 1 });
    for (let poll = 0; poll < 30; poll++) {
      const { results } = (await world.call('GET', '/jobs/?ids_only=1')).body as {
        results: { id: number }[];
      };
      expect(results).toHaveLength(1);
      seen.add(String(results[0]?.id));
    }
    expect(seen.size).toBe(5);

    const keyed = createWorld();
    for (let index = 0; index < 5; index++) keyed.project.job({ pipeline: keyed.pipeline, images: 1 });
    const { results } = (await keyed.call('GET', '/jobs/?ids_only=1')).body as { results: { id: number }[] };
    expect(results.map((job) => job.id)).toEqual([5, 4, 3, 2, 1]);
  });

  it('token: an anonymous poll marks the services of the slugs as seen, twice a minute at most', async () => {
    const { call, service, clock } = createWorld({ dialect: 'token' });
    const poll = () =>
      call('GET', '/jobs/?ids_only=1&pipeline__slug__in=moths', undefined, { authorization: null });
    await poll();
    const first = service.lastSeen?.getTime();
    expect(first).toBe(clock.wallNow());
    await clock.advance(10_000);
    await poll();
    expect(service.lastSeen?.getTime()).toBe(first);
    await clock.advance(20_000);
    await poll();
    expect(service.lastSeen?.getTime()).toBe(clock.wallNow());
  });

  it('shows a service as live for a minute after it was seen', async () => {
    const { call, service, project, clock } = createWorld();
    const isLive = async () =>
      ((await call('GET', `/ml/processing_services/${service.id}/status/`)).body as { server_live: boolean })
        .server_live;
    expect(await isLive()).toBe(false);
    await call('POST', `/projects/${project.id}/pipelines/`, { pipelines: [] });
    expect(await isLive()).toBe(true);
    await clock.advance(60_000);
    expect(await isLive()).toBe(false);
  });
});
