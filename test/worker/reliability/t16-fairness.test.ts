import { describe, expect, it } from 'vitest';
import { createRig, driveUntil, eventsOf, modelOf, rigPipeline, stopDriven } from './rig.js';

describe('T16 many jobs share one worker', () => {
  it('a job of three tasks is done within two rotations beside one of a hundred thousand', async () => {
    const rig = createRig();
    const huge = rig.job(100_000);
    rig.job(5_000);
    const worker = rig.worker({ definition: { process: modelOf(rig.clock, 100) } });
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => huge.ledger.total('counted') > 200);
    const small = rig.job(3);
    const added = eventsOf(worker, 'job_added');
    await driveUntil(rig.clock, () => added.some(({ jobId }) => jobId === small.id), 60_000);
    const seenAt = rig.clock.now();
    await driveUntil(rig.clock, () => small.status === 'SUCCESS', 60_000);
    // Three jobs with a quantum of five seconds each, twice around, and the time of a post.
    expect(rig.clock.now() - seenAt).toBeLessThanOrEqual(2 * 3 * 5_000 + 2_000);
    await stopDriven(rig, worker, running);
  });

  it('spares the model switches, without letting the other pipeline wait for minutes', async () => {
    const rig = createRig();
    const jobs = [
      rig.job(3_000),
      rig.job(3_000, 'test-beetles'),
      rig.job(3_000),
      rig.job(3_000, 'test-beetles'),
    ];
    const order: string[] = [];
    const processOf = (slug: string) => {
      const model = modelOf(rig.clock, 100);
      return () => {
        order.push(slug);
        return model();
      };
    };
    const worker = rig.worker({
      pipelines: ['test-moths', 'test-beetles'].map((slug) =>
        rigPipeline(slug, { process: processOf(slug) }),
      ),
    });
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(100_000);
    await stopDriven(rig, worker, running);
    rig.server.settle();
    for (const job of jobs) expect(job.ledger.total('counted')).toBeGreaterThan(100);
    const runs = order.reduce((count, slug, index) => count + (slug === order[index - 1] ? 0 : 1), 0);
    // Round robin by batch would switch hundreds of times.
    expect(runs).toBeLessThan(order.length / 10);
  });
});
