import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRig, drive, eventsOf, modelOf } from './rig.js';

/** One worker, one job, an endless supply: what share of the tasks was accepted after their lease? */
async function simulate(options: {
  leaseMs: number;
  assumedMs?: number;
  taskMs: (index: number) => number;
  tasks: number;
  seed?: number;
}) {
  const { leaseMs, assumedMs = leaseMs, taskMs, tasks, seed = 1 } = options;
  const rig = createRig({ visibilityTimeoutMs: leaseMs, saveDelayMs: 2_000, seed, latencyMs: 50 });
  const job = rig.job(tasks);
  let index = 0;
  const worker = rig.worker({
    concurrency: 1,
    leaseMs: assumedMs,
    definition: { process: modelOf(rig.clock, () => taskMs(index++)) },
  });
  const late = eventsOf(worker, 'task_late');
  const startedAt = rig.clock.now();
  const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }), {
    maxMs: 100 * 3_600_000,
    stepMs: 30_000,
  });
  rig.server.settle();
  return {
    report,
    job,
    lateRatio: late.length / report.taken,
    calls: index,
    tookMs: rig.clock.now() - startedAt,
  };
}

describe('T6 sizing keeps its promises end to end', () => {
  it('posts in time whatever the model takes, as long as a batch fits the lease', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(30_000, 60_000, 300_000),
        fc.double({ min: 0.001, max: 0.15, noNaN: true }),
        fc.integer({ min: 1, max: 1_000 }),
        async (leaseMs, share, seed) => {
          const meanMs = leaseMs * share;
          let state = seed;
          const { lateRatio, job } = await simulate({
            leaseMs,
            tasks: 60,
            seed,
            taskMs: () => {
              state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
              return meanMs * (0.6 + (0.8 * state) / 2 ** 32);
            },
          });
          expect(job.counts.processed).toBe(60);
          expect(lateRatio).toBeLessThanOrEqual(0.05);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('computes nearly nothing twice when the lease is tight', async () => {
    const { calls, lateRatio, job } = await simulate({ leaseMs: 30_000, tasks: 200, taskMs: () => 2_500 });
    expect(job.counts.processed).toBe(200);
    expect(calls).toBeLessThanOrEqual(210);
    expect(lateRatio).toBeLessThanOrEqual(0.03);
  });

  it('recovers within three rounds when the model becomes three times slower', async () => {
    const { lateRatio, job, calls } = await simulate({
      leaseMs: 30_000,
      tasks: 300,
      taskMs: (index) => (index < 150 ? 600 : 1_800),
    });
    expect(job.counts.processed).toBe(300);
    expect(lateRatio).toBeLessThanOrEqual(0.1);
    expect(calls).toBeLessThanOrEqual(330);
  });

  it('learns that a lease is shorter than it was told, and stops being late', async () => {
    const { job, calls } = await simulate({
      leaseMs: 30_000,
      assumedMs: 300_000,
      tasks: 200,
      taskMs: () => 2_500,
    });
    expect(job.counts.processed).toBe(200);
    expect(calls).toBeLessThanOrEqual(240);
  });

  it('says once, with the numbers, that a single task does not fit the lease, and works on', async () => {
    const rig = createRig({ visibilityTimeoutMs: 30_000 });
    const job = rig.job(4);
    const worker = rig.worker({ concurrency: 1, definition: { process: modelOf(rig.clock, 20_000) } });
    const warned = eventsOf(worker, 'lease_too_short');
    await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }), { stepMs: 5_000 });
    rig.server.settle();
    expect(job.status).toBe('SUCCESS');
    expect(warned).toHaveLength(1);
    expect(warned[0]?.explanation).toContain('set leaseMs');
  });
});
