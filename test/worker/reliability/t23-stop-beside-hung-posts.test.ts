import { expect, it, vi } from 'vitest';
import { sleep } from '../../../src/time/clock.js';
import { createRig, driveUntil, rigPipeline, stopDriven } from './rig.js';

// Minutes of virtual time.
vi.setConfig({ testTimeout: 120_000 });

it('T23 a worker that stops posts what can be posted, although the posts of six other jobs begin to hang', async () => {
  const rig = createRig({ latencyMs: 5 });
  const slugs = Array.from({ length: 6 }, (_, index) => `bad-${index}`);
  const modelOf = (ms: number) => async () => {
    await sleep(rig.clock, ms);
    return { detections: [] };
  };
  const worker = rig.worker({
    concurrency: 8,
    pipelines: [
      rigPipeline('good', { process: modelOf(6_000) }),
      ...slugs.map((slug) => rigPipeline(slug, { process: modelOf(100) })),
    ],
  });
  const bad = slugs.map((slug) => rig.job(1_000, slug));
  const good = rig.job(40, 'good');
  const running = worker.run({ handleSignals: false });
  await driveUntil(rig.clock, () => bad.every(({ results }) => results.length > 30), 60_000);
  await driveUntil(rig.clock, () => good.results.length > 4, 60_000);
  rig.server.faults.stallHeaders(
    {},
    { route: 'result', where: ({ path }) => bad.some(({ id }) => path.includes(`/jobs/${id}/`)) },
  );
  await rig.clock.advance(300);
  const report = await stopDriven(rig, worker, running, { graceMs: 25_000 });
  expect(report.jobs[good.id]?.abandoned).toBe(0);
});
