import { describe, expect, it } from 'vitest';
import { createContractServer } from '../../../src/testing/index.js';
import { createWorld, post, success, take } from '../helpers.js';
import type { Task, World } from '../helpers.js';

async function postAll(world: World, jobId: number, tasks: readonly Task[]): Promise<void> {
  for (const task of tasks) await post(world.call, jobId, success(task));
}

const saved = ({ results }: { results: readonly { outcome: { kind: string } }[] }): number =>
  results.filter(({ outcome }) => outcome.kind === 'saved').length;

describe('a server that saves slowly', () => {
  it('saves in the order of acceptance, at its rate, over all jobs', async () => {
    const world = createWorld({ saving: { perSecond: 4 } });
    const { server, clock, call, project, pipeline } = world;
    const [first, second] = [0, 1].map(() => project.job({ pipeline, images: 2 }));
    if (!first || !second) throw new Error('two jobs expected');
    const [early, late] = [await take(call, first.id), await take(call, second.id)];
    await postAll(world, first.id, early);
    await postAll(world, second.id, late);
    expect(server.saving.backlog).toBe(4);
    const seen: number[][] = [];
    for (let quarter = 0; quarter < 4; quarter++) {
      await clock.advance(250);
      seen.push([saved(first), saved(second)]);
    }
    expect(seen).toEqual([
      [1, 0],
      [2, 0],
      [2, 1],
      [2, 2],
    ]);
    expect([first.status, second.status, server.saving.backlog]).toEqual(['SUCCESS', 'SUCCESS', 0]);
  });

  it('delivers a task again whose accepted result waits longer than the lease, and takes the late acknowledgement (T51)', async () => {
    const world = createWorld({ visibilityTimeoutMs: 1000, saving: { perSecond: 0.5 } });
    const { clock, call, project, pipeline } = world;
    const job = project.job({ pipeline, images: 1 });
    await postAll(world, job.id, await take(call, job.id));
    await clock.advance(1000);
    expect(await take(call, job.id)).toHaveLength(1);
    await clock.advance(1000);
    expect(job.status).toBe('SUCCESS');
    expect(job.ledger.total('acknowledged')).toBe(1);
  });

  it('takes a new rate in the middle, for what waits too, and keeps what is done of the one in hand', async () => {
    const world = createWorld({ saving: { perSecond: 1 } });
    const { server, clock, call, project, pipeline } = world;
    const job = project.job({ pipeline, images: 8 });
    await postAll(world, job.id, await take(call, job.id));
    await clock.advance(1500);
    expect(saved(job)).toBe(1);
    server.saving.perSecond = 4;
    await clock.advance(124);
    expect(saved(job)).toBe(1);
    await clock.advance(1);
    expect(saved(job)).toBe(2);
    await clock.advance(500);
    expect(saved(job)).toBe(4);
    server.saving.perSecond = 0;
    await clock.advance(60_000);
    expect(saved(job)).toBe(4);
    server.saving.perSecond = 10;
    await clock.advance(100);
    expect(saved(job)).toBe(5);
    server.settle();
    expect(job.status).toBe('SUCCESS');
    expect(clock.pending).toBe(0);
  });

  it('waits for saveDelayMs before the line, and forgets the line on reset', async () => {
    const world = createWorld({ saveDelayMs: 100, saving: { perSecond: 10 } });
    const { server, clock, call, project, pipeline } = world;
    const job = project.job({ pipeline, images: 1 });
    await postAll(world, job.id, await take(call, job.id));
    await clock.advance(199);
    expect(saved(job)).toBe(0);
    expect(server.saving.backlog).toBe(1);
    server.saving.perSecond = 5;
    server.reset();
    expect(server.saving).toMatchObject({ backlog: 0, perSecond: 10 });
    await clock.advance(1000);
    expect(saved(job)).toBe(0);
  });

  it('names a rate or probability that cannot be used', () => {
    const make = (saving: { perSecond?: number; lostUpdates?: number }) => () =>
      createContractServer({ dialect: 'token', saving });
    expect(make({ perSecond: -1 })).toThrow(/saving\.perSecond must be a number from 0, got -1/);
    expect(make({ perSecond: Number.NaN })).toThrow(/saving\.perSecond/);
    expect(make({ lostUpdates: 1.5 })).toThrow(/saving\.lostUpdates must be a number from 0 to 1/);
  });
});

describe('a server whose background processes overwrite each other’s progress (T52)', () => {
  it('counts fewer than it saved, in a job that ends well', async () => {
    const world = createWorld({ dialect: 'token', saving: { lostUpdates: 0.3 } });
    const { server, call, project, pipeline } = world;
    const job = project.job({ pipeline, images: 100 });
    const tasks = await take(call, job.id, 100);
    await postAll(world, job.id, tasks.slice(0, 99));
    server.saving.lostUpdates = 0;
    await postAll(world, job.id, tasks.slice(99));
    expect(job.status).toBe('SUCCESS');
    expect(job.counts.processed).toBe(100);
    expect(job.counts.captures).toBeLessThan(90);
    expect(job.counts.captures).toBeGreaterThan(50);
    expect(tasks.every(({ id }) => job.detections(id).length === 1)).toBe(true);
  });

  it('leaves a job STARTED when the last update is lost, with every image saved, until the reaper', async () => {
    const world = createWorld({ dialect: 'token' });
    const { server, clock, call, project, pipeline } = world;
    const job = project.job({ pipeline, images: 3 });
    const tasks = await take(call, job.id);
    await postAll(world, job.id, tasks.slice(0, 2));
    server.saving.lostUpdates = 1;
    await postAll(world, job.id, tasks.slice(2));
    expect(job.status).toBe('STARTED');
    expect(job.counts.processed).toBe(2);
    expect(job.queue).toMatchObject({ waiting: 0, outstanding: 0, acknowledged: 3 });
    expect(tasks.every(({ id }) => job.detections(id).length === 1)).toBe(true);
    await clock.advance(1_800_000);
    expect(job.status).toBe('SUCCESS');
  });
});
