import { describe, expect, it } from 'vitest';
import { createWorld, post, success, take } from '../helpers.js';
import type { World } from '../helpers.js';

const detector = { key: 'fly-box', name: 'Fly Box', task_type: 'detection' };
const map = { labels: ['x', 'y'], data: [{ label: 'x' }, { label: 'y' }] };
const classifier = { key: 'fly-kind', name: 'Fly Kind', task_type: 'classification', category_map: map };
const fly = { name: 'Fly', slug: 'fly', version: 1, algorithms: [detector, classifier] };

async function register(world: World, ...pipelines: unknown[]) {
  const name = world.server.dialect === 'token' ? { processing_service_name: 'worker-a' } : {};
  const { status, body } = await world.call('POST', `/projects/${world.project.id}/pipelines/`, {
    ...name,
    pipelines,
  });
  const { pipelines_created: created, pipelines: echoed = [] } = body as {
    pipelines_created?: string[];
    pipelines?: unknown[];
  };
  return { status, created, echoed };
}

async function slugs(world: World): Promise<string[]> {
  const { body } = await world.call('GET', `/projects/${world.project.id}/pipelines/`);
  return (body as { results: { slug: string }[] }).results.map((pipeline) => pipeline.slug);
}

describe.each(['api-key', 'token'] as const)('registration in the %s dialect', (dialect) => {
  it('creates, links, and says which slugs and keys are new; repeating it changes nothing', async () => {
    const world = createWorld({ dialect });
    expect(await register(world, fly)).toMatchObject({
      status: 201,
      created: ['fly', 'fly-box', 'fly-kind'],
    });
    expect(await register(world, fly)).toMatchObject({ status: 201, created: [] });
    expect(world.service.pipelines).toContain('fly');
  });

  it('answers 201 and does not create a slug whose name and version exist (T44)', async () => {
    const world = createWorld({ dialect });
    await register(world, fly);
    expect((await register(world, { ...fly, slug: 'other' })).status).toBe(201);
    expect(await slugs(world)).toEqual(['fly', 'moths']);
  });

  it.each([
    ['a known key with another version', { ...detector, version: 2 }],
    ['a known name and version with another key', { ...detector, key: 'new-key' }],
    ['a classifier without category map', { key: 'c', name: 'C', task_type: 'classification' }],
  ])('crashes for %s, and stores nothing of the request (T45)', async (_, algorithm) => {
    const world = createWorld({ dialect });
    await register(world, fly);
    const good = {
      name: 'Good',
      slug: 'good',
      version: 1,
      algorithms: [{ key: 'g', name: 'G', task_type: 'detection' }],
    };
    const answer = await register(world, good, {
      name: 'Bad',
      slug: 'bad',
      version: 1,
      algorithms: [algorithm],
    });
    expect(answer.status).toBe(500);
    expect(await slugs(world)).toEqual(['fly', 'moths']);
    expect((await register(world, good)).created).toEqual(['good', 'g']);
  });

  it('takes a classifier whose map has labels only, and asks for a map again when the next one brings none', async () => {
    const world = createWorld({ dialect });
    const bare = { key: 'c', name: 'C', task_type: 'classification' };
    const pipeline = (algorithm: object) => ({
      name: 'New',
      slug: 'new',
      version: 1,
      algorithms: [algorithm],
    });
    const labelled = pipeline({ ...bare, category_map: { labels: ['x'] } });
    const answer = await register(world, labelled);
    expect(answer).toMatchObject({ status: 201, created: ['new', 'c'] });
    expect(answer.echoed[0]).toMatchObject({ algorithms: [{ category_map: { labels: ['x'], data: [] } }] });
    const unlabelled = { ...bare, key: 'd', name: 'D', category_map: { data: [{ label: 'x' }] } };
    expect((await register(world, pipeline(unlabelled))).echoed[0]).toMatchObject({
      algorithms: [{ category_map: { labels: [], data: [{ label: 'x' }] } }],
    });
    expect((await register(world, pipeline(bare))).status).toBe(500);
  });

  it('echoes an algorithm’s description, never stores it, and keeps its uri', async () => {
    const world = createWorld({ dialect });
    const described = { ...detector, description: 'Finds flies', uri: 'https://models.example/fly-1' };
    const read = async (): Promise<unknown> => {
      const { body } = await world.call('GET', `/projects/${world.project.id}/pipelines/`);
      const { results } = body as { results: { slug: string; algorithms: unknown[] }[] };
      return results.find(({ slug }) => slug === 'fly')?.algorithms[0];
    };
    const { echoed } = await register(world, { ...fly, algorithms: [described] });
    expect(echoed[0]).toMatchObject({ algorithms: [{ description: 'Finds flies' }] });
    expect(await read()).toMatchObject({ description: '', uri: 'https://models.example/fly-1' });
    await register(world, { ...fly, algorithms: [{ ...described, uri: 'https://models.example/fly-2' }] });
    expect(await read()).toMatchObject({ description: '', uri: 'https://models.example/fly-2' });
  });

  it('ignores a changed category map without a word: results are saved by the first one', async () => {
    const world = createWorld({ dialect });
    await register(world, fly);
    const changed = { ...classifier, category_map: { labels: ['x'], data: [{ label: 'x' }] } };
    expect((await register(world, { ...fly, algorithms: [detector, changed] })).status).toBe(201);
    const job = world.project.job({ pipeline: world.pipeline, images: 1 });
    const [task] = await take(world.call, job.id);
    if (!task) throw new Error('a task expected');
    const when = '2026-01-01T00:00:00Z';
    const second = { classification: 'y', scores: [0, 1], algorithm: classifier, timestamp: when };
    const found = {
      source_image_id: task.id,
      algorithm: detector,
      timestamp: when,
      classifications: [second],
    };
    await post(world.call, job.id, success(task, [], { pipeline: 'fly', detections: [found] }));
    expect(job.results[0]?.outcome.kind).toBe('saved');
  });

  it('leaves a disabled link alone', async () => {
    const world = createWorld({ dialect });
    world.project.pipeline({ ...fly, slug: 'off', name: 'Off', enabled: false, algorithms: [] });
    expect((await register(world, { name: 'Off', slug: 'off', version: 1 })).created).toEqual([]);
    expect(await slugs(world)).not.toContain('off');
  });

  it('invents a slug and a key where they are empty', async () => {
    const world = createWorld({ dialect });
    const { created } = await register(world, {
      name: 'My Pipe!',
      slug: '',
      version: 3,
      algorithms: [{ key: '', name: 'My Box', task_type: 'detection' }],
    });
    expect(created?.[0]).toMatch(/^my-pipe-v3-[0-9a-f]{8}$/);
    expect(created?.[1]).toBe('my-box-1');
  });
});

describe('who registers', () => {
  it('token: a service name that two services share crashes (T47)', async () => {
    const world = createWorld({ dialect: 'token' });
    world.project.service({ name: 'worker-a' });
    expect((await register(world, fly)).status).toBe(500);
  });

  it('api-key: a superuser’s token is refused with a bare list', async () => {
    const world = createWorld();
    const answer = await world.call(
      'POST',
      `/projects/${world.project.id}/pipelines/`,
      { pipelines: [] },
      {
        authorization: `Token ${world.user.token}`,
      },
    );
    expect(answer).toMatchObject({
      status: 400,
      body: ['Pipeline registration requires API key authentication.'],
    });
  });
});
