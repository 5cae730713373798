import { describe, expect, it } from 'vitest';
import { createRig, drive, driveUntil, eventsOf, modelOf, stopDriven } from './rig.js';

/** Counts how often the model saw each image. */
function counted(
  model: () => Promise<{ detections: { bbox: { x1: number; y1: number; x2: number; y2: number } }[] }>,
) {
  const calls = new Map<string, number>();
  const process = ({ id }: { id: string }) => {
    calls.set(id, (calls.get(id) ?? 0) + 1);
    return model();
  };
  return { calls, process };
}

describe('T14 duplicates', () => {
  it('a lost 200 makes the same bytes go out again, and each task has one outcome', async () => {
    const rig = createRig();
    const job = rig.job(40);
    const { calls, process } = counted(modelOf(rig.clock, 100));
    rig.server.faults.resetAfter({ route: 'result', probability: 0.5 });
    const worker = rig.worker({ definition: { process } });
    const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }), {
      stepMs: 1_000,
    });
    rig.server.settle();
    expect(job.counts).toMatchObject({ processed: 40, failed: 0 });
    expect(report.posted).toBe(report.taken);
    expect(Math.max(...calls.values())).toBe(1);
  });

  it('a task that comes again while it is in hand is not run twice, and its newest delivery is answered', async () => {
    const rig = createRig({ dialect: 'token' });
    const job = rig.job(60);
    const { calls, process } = counted(modelOf(rig.clock, 1_500));
    const worker = rig.worker({ definition: { process } });
    const redelivered = eventsOf(worker, 'redelivered');
    const running = worker.run({ until: 'drained', handleSignals: false });
    await driveUntil(rig.clock, () => (worker.held?.stages.processing ?? 0) > 2);
    job.expireLeases();
    const report = await drive(rig.clock, running, { stepMs: 1_000 });
    rig.server.settle();
    expect(redelivered.length).toBeGreaterThan(0);
    expect(Math.max(...calls.values())).toBe(1);
    expect(calls.size).toBe(60);
    expect(job.counts).toMatchObject({ processed: 60, failed: 0 });
    expect(report.posted).toBe(report.taken);
  });

  it('a posted task that comes again because the server saves slowly gets the same bytes, not a second run', async () => {
    const rig = createRig({ saveDelayMs: 70_000, maxDeliveries: 5 });
    const job = rig.job(20);
    const { calls, process } = counted(modelOf(rig.clock, 100));
    const worker = rig.worker({ definition: { process } });
    const redelivered = eventsOf(worker, 'redelivered');
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => job.status === 'SUCCESS', 600_000);
    await stopDriven(rig, worker, running);
    expect(redelivered.length).toBeGreaterThan(0);
    expect(Math.max(...calls.values())).toBe(1);
    const bodies = new Map<string, Set<string>>();
    for (const { imageIds, result } of job.results) {
      const id = imageIds[0] ?? '';
      bodies.set(id, (bodies.get(id) ?? new Set()).add(JSON.stringify(result)));
    }
    for (const [, different] of bodies) expect(different.size).toBe(1);
  });

  it('a result whose saving failed is posted again from memory', async () => {
    const rig = createRig();
    const job = rig.job(10);
    const { calls, process } = counted(modelOf(rig.clock, 100));
    rig.server.faults.saveFailure({ times: 4 });
    const worker = rig.worker({ definition: { process } });
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => job.status === 'SUCCESS', 600_000);
    await stopDriven(rig, worker, running);
    expect(job.counts.failed).toBe(0);
    expect(Math.max(...calls.values())).toBe(1);
  });

  it('two workers that both got a task end in one outcome for it', async () => {
    const rig = createRig({ dialect: 'token' });
    const job = rig.job(60);
    const one = counted(modelOf(rig.clock, 700));
    const two = counted(modelOf(rig.clock, 900));
    const first = rig.worker({ definition: { process: one.process } });
    const second = rig.worker({ client: rig.anotherClient(), definition: { process: two.process } });
    const running = Promise.all([
      first.run({ until: 'drained', handleSignals: false }),
      second.run({ until: 'drained', handleSignals: false }),
    ]);
    await driveUntil(rig.clock, () => (first.held?.stages.processing ?? 0) > 2);
    job.expireLeases();
    await drive(rig.clock, running, { stepMs: 1_000 });
    rig.server.settle();
    expect(job.status).toBe('SUCCESS');
    expect(job.ledger.total('counted')).toBe(60);
    for (const calls of [one.calls, two.calls]) expect(Math.max(...calls.values())).toBe(1);
  });
});
