import { describe, expect, it } from 'vitest';
import { createWorld, detection, failure, post, success, take } from '../helpers.js';
import type { Task, World } from '../helpers.js';

async function takeSome(
  world: World,
  images: number,
): Promise<{ job: ReturnType<World['project']['job']>; tasks: Task[] }> {
  const job = world.project.job({ pipeline: world.pipeline, images });
  return { job, tasks: await take(world.call, job.id, images) };
}

function at(tasks: readonly Task[], index: number): Task {
  const task = tasks[index];
  if (!task) throw new Error(`There is no task ${index}.`);
  return task;
}

const stage = (job: ReturnType<World['project']['job']>, key: string) =>
  job.progress.stages.find((candidate) => candidate.key === key);

describe('success or failure of a job', () => {
  it.each(['api-key', 'token'] as const)(
    'exactly half failed is SUCCESS, more is FAILURE (%s)',
    async (dialect) => {
      const world = createWorld({ dialect });
      const half = await takeSome(world, 2);
      await post(world.call, half.job.id, failure(at(half.tasks, 0)), success(at(half.tasks, 1)));
      expect(half.job.status).toBe('SUCCESS');
      const most = await takeSome(world, 3);
      await post(
        world.call,
        most.job.id,
        success(at(most.tasks, 0)),
        failure(at(most.tasks, 1)),
        failure(at(most.tasks, 2)),
      );
      expect(most.job.status).toBe('FAILURE');
    },
  );

  it('token: a job above the threshold runs on, but incomplete_only no longer lists it', async () => {
    const world = createWorld({ dialect: 'token' });
    const { job, tasks } = await takeSome(world, 3);
    await post(world.call, job.id, failure(at(tasks, 0)), failure(at(tasks, 1)));
    expect(job.status).toBe('STARTED');
    expect(stage(job, 'process')).toMatchObject({ status: 'FAILURE', progress: 2 / 3 });
    expect((await world.call('GET', '/jobs/?incomplete_only=1')).body).toMatchObject({ count: 0 });
  });

  it('api-key: a job above the threshold loses its queue and hangs in STARTED until the next result', async () => {
    const world = createWorld();
    const { job, tasks } = await takeSome(world, 3);
    await post(world.call, job.id, failure(at(tasks, 0)), failure(at(tasks, 1)));
    expect(job.status).toBe('STARTED');
    expect(job.queue).toBeNull();
    expect(job.progress.summary.progress).toBe(1);
    await post(world.call, job.id, success(at(tasks, 2)));
    expect(job.status).toBe('FAILURE');
    expect(job.detections(at(tasks, 2).id)).toEqual([]);
  });
});

describe('results that are not what they should be', () => {
  it('an error without image id, and a success without source image, lose their image (T27)', async () => {
    const world = createWorld();
    const { job, tasks } = await takeSome(world, 2);
    await post(
      world.call,
      job.id,
      { reply_subject: at(tasks, 0).reply_subject, result: { error: 'no id' } },
      success(at(tasks, 1), [], { source_images: [] }),
    );
    await world.clock.advance(60_000);
    expect(await take(world.call, job.id)).toEqual([]);
    expect(job.pendingImageIds).toHaveLength(2);
    expect(job.results.map((result) => result.outcome.kind)).toEqual(['nothing-counted', 'nothing-counted']);
  });

  it('a malformed success with an error field counts as an error, a complete one as success (T36)', async () => {
    const world = createWorld();
    const { job, tasks } = await takeSome(world, 2);
    const malformed = { pipeline: 'moths', detections: 'many', error: 'boom', image_id: at(tasks, 0).id };
    await post(
      world.call,
      job.id,
      { reply_subject: at(tasks, 0).reply_subject, result: malformed },
      success(at(tasks, 1), [1], { error: 'ignored' }),
    );
    expect(job.counts).toMatchObject({ processed: 2, failed: 1, captures: 1 });
  });

  it('one malformed item refuses the whole post (T33)', async () => {
    const world = createWorld();
    const { job, tasks } = await takeSome(world, 2);
    const answer = await post(world.call, job.id, success(at(tasks, 0)), { reply_subject: null, result: {} });
    expect(answer.status).toBe(400);
    expect(job.results).toEqual([]);
  });

  it('a result with a foreign subject counts, and its task comes again', async () => {
    const world = createWorld();
    const { job, tasks } = await takeSome(world, 2);
    await post(world.call, job.id, success({ ...at(tasks, 0), reply_subject: 'elsewhere' }));
    expect(job.counts.captures).toBe(1);
    await world.clock.advance(30_000);
    expect((await take(world.call, job.id)).map((task) => task.id)).toContain(at(tasks, 0).id);
  });

  it.each([
    ['token', 1],
    ['api-key', 2],
  ] as const)('a duplicate adds nothing to progress; %s shows %i captures', async (dialect, captures) => {
    const world = createWorld({ dialect });
    const { job, tasks } = await takeSome(world, 2);
    for (let time = 0; time < 2; time++) await post(world.call, job.id, success(at(tasks, 0)));
    expect(job.counts).toMatchObject({ processed: 1, captures });
    expect(job.detections(at(tasks, 0).id)).toHaveLength(1);
    expect(job.ledger.total('counted-again')).toBe(1);
  });

  it('results for a job that was never started turn it to FAILURE (T30)', async () => {
    const world = createWorld();
    const job = world.project.job({ pipeline: world.pipeline, images: 1, start: false });
    await post(world.call, job.id, { reply_subject: 'none', result: { error: 'e', image_id: '1' } });
    expect(job.status).toBe('FAILURE');
  });

  it('results for a cancelled job are accepted and thrown away (T31)', async () => {
    const world = createWorld();
    const { job, tasks } = await takeSome(world, 1);
    job.cancel();
    expect((await post(world.call, job.id, success(at(tasks, 0)))).status).toBe(200);
    expect(job.results[0]?.outcome).toEqual({ kind: 'dropped', reason: 'the job is REVOKED' });
    expect(job.detections(at(tasks, 0).id)).toEqual([]);
  });
});

describe('saving in the background', () => {
  const saved = async (changes: Record<string, unknown>) => {
    const world = createWorld();
    const { job, tasks } = await takeSome(world, 1);
    const answer = await post(world.call, job.id, success(at(tasks, 0), [1], changes));
    expect(answer.status).toBe(200);
    return {
      world,
      job,
      outcome: job.results[0]?.outcome,
      detections: job.detections(at(tasks, 0).id),
      id: at(tasks, 0).id,
    };
  };

  it.each([
    ['an unknown pipeline', { pipeline: 'typo' }, /typo/],
    ['empty scores', { detections: [detection('1', 1, [])] }, /empty/],
    ['a maximum beyond the category map', { detections: [detection('1', 1, [0, 0, 0, 1])] }, /position 3/],
    [
      'a taxon name of 256 characters',
      { detections: [detection('1', 1, [1, 0, 0], 'x'.repeat(256))] },
      /255/,
    ],
    ['an image id that is no number', { source_images: [{ id: 'one', url: '' }] }, /not an integer/],
  ])('fails for %s, and the job shows only that nothing was saved', async (_, changes, reason) => {
    const { outcome, job } = await saved(changes);
    expect(outcome).toMatchObject({ kind: 'save-failed' });
    expect(outcome && 'reason' in outcome ? outcome.reason : '').toMatch(reason);
    expect(job.counts.captures).toBe(0);
  });

  it('fails for a pipeline without exactly one detector', async () => {
    const world = createWorld();
    world.project.pipeline({
      slug: 'blind',
      algorithms: [{ key: 'only-labels', task_type: 'classification', labels: ['a'] }],
    });
    const { job, tasks } = await takeSome(world, 1);
    await post(world.call, job.id, success(at(tasks, 0), [], { pipeline: 'blind' }));
    expect(job.results[0]?.outcome).toEqual({
      kind: 'save-failed',
      reason: 'pipeline blind has 0 detection algorithms, not one',
    });
  });

  it('creates an empty pipeline for a slug with a typo (T37)', async () => {
    const { world } = await saved({ pipeline: 'typo' });
    const answer = await world.call('GET', '/ml/pipelines/', undefined, {
      authorization: `Token ${world.user.token}`,
    });
    expect(JSON.stringify(answer.body)).toContain('"slug":"typo","description":"","algorithms":[]');
  });

  it('shifts classifications by one when a detection names an image that does not exist (T38)', async () => {
    const { detections } = await saved({
      detections: [detection('99999', 1, [1, 0, 0], 'a'), detection('1', 20, [0, 1, 0], 'b')],
    });
    expect(detections).toMatchObject([{ bbox: { x1: 20 }, classifications: [{ taxon: 'a' }] }]);
  });

  it('swaps species when new boxes come before known ones (T38)', async () => {
    const world = createWorld();
    const { job, tasks } = await takeSome(world, 2);
    const { id } = at(tasks, 0);
    await post(
      world.call,
      job.id,
      success(at(tasks, 0), [], { detections: [detection(id, 1, [1, 0, 0], 'a')] }),
    );
    await post(
      world.call,
      job.id,
      success(at(tasks, 0), [], {
        detections: [detection(id, 50, [0, 1, 0], 'b'), detection(id, 1, [1, 0, 0], 'a')],
      }),
    );
    const stored = job.detections(id).map((one) => ({
      x1: one.bbox?.x1,
      taxa: one.classifications.map((item) => item.taxon),
    }));
    expect(stored).toEqual([
      { x1: 1, taxa: ['a', 'b'] },
      { x1: 50, taxa: ['a'] },
    ]);
  });

  it('marks an image without detections, and later jobs of the pipeline skip it', async () => {
    const { job, detections, world } = await saved({ detections: [] });
    expect(detections).toMatchObject([{ bbox: null }]);
    expect(job.status).toBe('SUCCESS');
    const again = world.project.job({ pipeline: world.pipeline });
    expect(again).toMatchObject({ status: 'SUCCESS', queue: null });
  });
});
