import { describe, expect, it, vi } from 'vitest';
import type { AntennaWorker } from 'antenna-sdk';
import { sleep } from '../../../src/time/clock.js';
import { anyImage, createRig, driveUntil, eventsOf, rigPipeline, stopDriven, type Rig } from './rig.js';

// Minutes of virtual time.
vi.setConfig({ testTimeout: 120_000 });

const GOOD = 400;
const instant = (): { detections: [] } => ({ detections: [] });
const never = (): Promise<never> => new Promise<never>(() => undefined);

function urls(host: string, count: number, folder = 'images'): string[] {
  return Array.from({ length: count }, (_, image) => `http://${host}/${folder}/${image}.jpg`);
}

/** Milliseconds of virtual time from the first sight of a good job to its last accepted result. */
async function goodTime(rig: Rig, worker: AntennaWorker, host = 'good.example'): Promise<number> {
  const added = eventsOf(worker, 'job_added');
  const job = rig.job(urls(host, GOOD, 'good'), 'good');
  await driveUntil(rig.clock, () => added.some(({ jobId }) => jobId === job.id), 26_500);
  const seenAt = rig.clock.now();
  await driveUntil(rig.clock, () => job.ledger.total('counted') + job.results.length >= GOOD, 60_000);
  return rig.clock.now() - seenAt;
}

async function stop(rig: Rig, worker: AntennaWorker, running: Promise<unknown>): Promise<void> {
  await stopDriven(rig, worker, running, { graceMs: 0 });
}

describe('T23 a job that is opened later gets its share', () => {
  it.each([
    ['of pipelines of their own', 2, false],
    ['of pipelines of their own', 4, false],
    ['of its own pipeline', 3, true],
  ])(
    'of the hold, beside jobs %s that were well, until their posts failed: %s',
    async (_of, count, isShared) => {
      const rig = createRig({ latencyMs: 5 });
      const slugs = Array.from({ length: count }, (_, index) => (isShared ? 'good' : `bad-${index}`));
      const pipelines = [...new Set(['good', ...slugs])].map((slug) =>
        rigPipeline(slug, { process: instant }),
      );
      const worker = rig.worker({ pipelines });
      const bad = slugs.map((slug, index) => rig.job(urls(`bad-${index}.example`, 20_000), slug));
      const running = worker.run({ handleSignals: false });
      await driveUntil(rig.clock, () => bad.every(({ results }) => results.length > 200), 60_000);
      rig.server.faults.answer(
        { status: 500, body: { detail: 'trouble' } },
        { route: 'result', where: ({ path }) => bad.some(({ id }) => path.includes(`/jobs/${id}/`)) },
      );
      await rig.clock.advance(10_000);
      expect(await goodTime(rig, worker)).toBeLessThan(4_000);
      expect(worker.metrics().gauges.held.count).toBeLessThanOrEqual(256);
      await stop(rig, worker, running);
    },
  );

  it.each([
    [2, 1],
    [4, 3],
  ])('of %s lanes, beside %s pipelines whose first call never returns', async (concurrency, count) => {
    const rig = createRig({ latencyMs: 5 });
    const slugs = Array.from({ length: count }, (_, index) => `bad-${index}`);
    const worker = rig.worker({
      concurrency,
      pipelines: [
        rigPipeline('good', { process: instant }),
        ...slugs.map((slug) => rigPipeline(slug, { process: never })),
      ],
    });
    for (const slug of slugs) rig.job(urls(`${slug}.example`, 100), slug);
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(3_000);
    expect(await goodTime(rig, worker)).toBeLessThan(4_000);
    await stop(rig, worker, running);
  });

  it.each([
    ['one image', 1],
    ['every image', 500],
  ])('of a host of images that both jobs have, when %s of the other hangs', async (_what, hanging) => {
    const rig = createRig({ latencyMs: 5 });
    const worker = rig.worker({
      pipelines: ['good', 'bad'].map((slug) => rigPipeline(slug, { process: instant })),
      fetch: (input, init) =>
        input.includes('/hanging/') ? sleep(rig.clock, 1e9, init.signal).then(never) : anyImage(input, init),
    });
    const fine = urls('bucket.example', 500 - hanging, 'fine');
    rig.job([...urls('bucket.example', hanging, 'hanging'), ...fine], 'bad');
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(5_000);
    expect(await goodTime(rig, worker, 'bucket.example')).toBeLessThan(8_000);
    await stop(rig, worker, running);
  });

  it('of the lanes, beside a pipeline that works and keeps all of them busy', async () => {
    const rig = createRig({ latencyMs: 5, dialect: 'token' });
    const worker = rig.worker({
      pipelines: [
        rigPipeline('good', { process: instant }),
        rigPipeline('slow', {
          process: async () => {
            await sleep(rig.clock, 15_000);
            return { detections: [] };
          },
        }),
      ],
    });
    rig.job(urls('slow.example', 500), 'slow');
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(120_000);
    // A lane is free when a slow call ends, and is lent again for one such call whenever the good job has no image ready.
    expect(await goodTime(rig, worker)).toBeLessThan(3 * 15_000);
    await stop(rig, worker, running);
  });
});

describe('T23 a trouble is over', () => {
  it('when its job is: cancelled, or gone for its results', async () => {
    const rig = createRig({ latencyMs: 5 });
    const worker = rig.worker({
      fetch: (input, init) =>
        input.includes('dead.example')
          ? Promise.resolve(new Response('', { status: 500 }))
          : anyImage(input, init),
    });
    const dead = rig.job(urls('dead.example', 50));
    const refused = rig.job(urls('fine.example', 50));
    const route = {
      route: 'result' as const,
      where: ({ path }: { readonly path: string }) => path.includes(`/jobs/${refused.id}/`),
    };
    rig.server.faults.answer({ status: 500, body: { detail: 'trouble' } }, route);
    const running = worker.run({ handleSignals: false });
    const jobs = () => worker.health().checks.find(({ name }) => name === 'jobs');
    await rig.clock.advance(60_000);
    expect(jobs()?.detail).toMatch(/no results have been accepted/);
    expect(jobs()?.detail).toMatch(/dead\.example/);
    dead.cancel();
    rig.server.faults.clear();
    rig.server.faults.answer({ status: 404, body: { detail: 'Not found.' } }, route);
    await rig.clock.advance(120_000);
    expect(jobs()?.status).toBe('ok');
    await stop(rig, worker, running);
  });
});
