import { describe, expect, it } from 'vitest';
import { createWorld, post, success, take } from '../helpers.js';

describe('starting', () => {
  it('answers PENDING, then serves tasks', async () => {
    const { call, user, project, pipeline } = createWorld();
    const deployment = project.deployment({
      name: 'Station',
      images: [{ url: 'https://images.example/1.jpg' }],
    });
    const authorization = `Token ${user.token}`;
    const body = {
      name: 'n',
      project_id: project.id,
      pipeline_id: pipeline.id,
      deployment_id: deployment,
      delay: 0,
    };
    const created = await call('POST', '/jobs/?start_now=1', body, { authorization });
    expect(created).toMatchObject({ status: 201, body: { status: 'PENDING', dispatch_mode: 'async_api' } });
    const { id } = created.body as { id: number };
    expect(await take(call, id)).toHaveLength(1);
  });

  it('waits for its delay, on the clock', async () => {
    const { project, pipeline, clock } = createWorld();
    const job = project.job({ pipeline, images: 1, delaySeconds: 60, start: false }).start();
    expect(job.status).toBe('PENDING');
    await clock.advance(60_000);
    expect(job.status).toBe('STARTED');
    expect(job.progress.stages.map((stage) => stage.key)).toEqual(['delay', 'collect', 'process', 'results']);
  });

  it('is over at once without images, and FAILURE when an image has no URL', () => {
    const { project, pipeline } = createWorld();
    expect(project.job({ pipeline, images: [] }).status).toBe('SUCCESS');
    const broken = project.job({ pipeline, images: [{ url: null }, 'https://images.example/2.jpg'] });
    expect(broken).toMatchObject({ status: 'FAILURE', queue: null });
  });

  it.each([
    { limit: 2, shown: ['total_images', 'limit'], tasks: 2 },
    { limit: 3, shown: ['total_images'], tasks: 3 },
    { limit: 7, shown: ['total_images'], tasks: 3 },
  ])(
    'shows a limit of $limit over three images only if it cuts something',
    async ({ limit, shown, tasks }) => {
      const { call, project, pipeline } = createWorld();
      const job = project.job({ pipeline, images: 3, limit });
      const collect = job.progress.stages.find(({ key }) => key === 'collect');
      expect(collect?.params.map(({ key }) => key)).toEqual(shown);
      expect(job.counts.total).toBe(3);
      expect(await take(call, job.id)).toHaveLength(tasks);
    },
  );

  it('shuffles when asked, the same way for the same seed', async () => {
    const order = async (seed: number): Promise<string> => {
      const { call, project, pipeline } = createWorld({ seed });
      const job = project.job({ pipeline, images: 20, shuffle: true });
      return (await take(call, job.id, 20)).map((task) => task.id).join();
    };
    expect(await order(5)).toBe(await order(5));
    expect(await order(5)).not.toBe(await order(6));
  });
});

describe('cancelling', () => {
  it.each([
    ['token', false, 'REVOKED'],
    ['api-key', true, 'STARTED'],
  ] as const)(
    '%s: REVOKED in the answer; end time missing: %s, summary %s',
    async (dialect, isEndless, summary) => {
      const { call, user, project, pipeline } = createWorld({ dialect });
      const job = project.job({ pipeline, images: 1 });
      const answer = await call('POST', `/jobs/${job.id}/cancel/`, undefined, {
        authorization: `Token ${user.token}`,
      });
      const body = answer.body as { status: string; finished_at: string | null };
      expect(body.status).toBe('REVOKED');
      expect(body.finished_at === null).toBe(isEndless);
      expect(job.progress.summary.status).toBe(summary);
      expect(await take(call, job.id)).toEqual([]);
    },
  );

  it.each([
    ['token', 'SUCCESS'],
    ['api-key', 'REVOKED'],
  ] as const)('%s: a finished job becomes %s', async (dialect, status) => {
    const { call, project, pipeline } = createWorld({ dialect });
    const job = project.job({ pipeline, images: 1 });
    for (const task of await take(call, job.id)) await post(call, job.id, success(task));
    expect(job.cancel().status).toBe(status);
  });
});

describe('retrying', () => {
  it('resets the progress and serves every open image again', async () => {
    const { call, project, pipeline, clock } = createWorld();
    const job = project.job({ pipeline, images: 2 });
    const [first] = await take(call, job.id, 1);
    if (!first) throw new Error('a task expected');
    await post(call, job.id, success(first));
    job.cancel().retry();
    expect(job.counts).toMatchObject({ total: 1, processed: 0, captures: 0 });
    await clock.advance(1);
    expect((await take(call, job.id)).map((task) => task.id)).not.toContain(first.id);
  });
});

describe('deleting', () => {
  it('leaves 404 behind', async () => {
    const { call, project, pipeline } = createWorld();
    const job = project.job({ pipeline, images: 1 });
    job.delete();
    expect((await call('GET', `/jobs/${job.id}/`)).status).toBe(404);
    expect((await post(call, job.id)).status).toBe(404);
  });
});

describe('the reaper', () => {
  it('token: marks pending images failed after ten idle minutes, at the next run of its schedule (T25)', async () => {
    const { server, call, project, pipeline, clock } = createWorld({ dialect: 'token' });
    const untouched = project.job({ pipeline, images: 2 });
    const nearly = project.job({ pipeline, images: 4 });
    for (const task of (await take(call, nearly.id)).slice(0, 3)) await post(call, nearly.id, success(task));
    await clock.advance(899_999);
    expect(untouched.status).toBe('STARTED');
    await clock.advance(1);
    expect(untouched.status).toBe('FAILURE');
    expect(nearly.status).toBe('SUCCESS');
    expect(nearly.counts.failed).toBe(1);
    expect(nearly.progress.errors).toHaveLength(1);
    expect(untouched.ledger.total('reaped')).toBe(2);
    await server.close();
  });

  it('does not count polling or taking tasks as a sign of life, but does count a result', async () => {
    const { server, call, project, pipeline, clock } = createWorld({ dialect: 'token' });
    const polled = project.job({ pipeline, images: 2 });
    const worked = project.job({ pipeline, images: 2 });
    await clock.advance(595_000);
    await take(call, polled.id);
    const [task] = await take(call, worked.id);
    if (!task) throw new Error('a task expected');
    await post(call, worked.id, success(task));
    await clock.advance(10_000);
    expect(server.reap()).toEqual([polled.id]);
    await server.close();
  });

  it('api-key: never runs by itself; run by hand it revokes', async () => {
    const { server, project, pipeline, clock } = createWorld();
    const job = project.job({ pipeline, images: 1 });
    await clock.advance(72 * 3_600_000 + 1);
    expect(job.status).toBe('STARTED');
    server.reap();
    expect(job.status).toBe('REVOKED');
  });
});
