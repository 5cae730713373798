import { describe, expect, it } from 'vitest';
import {
  accounted,
  createRig,
  drive,
  driveUntil,
  eventsOf,
  modelOf,
  slowImages,
  stopDriven,
  type Rig,
} from './rig.js';

type Stage = 'reserving' | 'downloading' | 'processing' | 'posting' | 'idle';

/** Lets a worker come to a stage, then stops it. */
async function stopAt(stage: Stage, rig: Rig, graceMs: number) {
  const job = rig.job(stage === 'idle' ? 0 : 40);
  if (stage === 'reserving') rig.server.faults.latency(3_000, { route: 'tasks' });
  if (stage === 'posting') rig.server.faults.latency(3_000, { route: 'result' });
  const worker = rig.worker({
    definition: { process: modelOf(rig.clock, stage === 'processing' ? 2_000 : 100) },
    fetch: slowImages(rig.clock, stage === 'downloading' ? 2_000 : 50),
    graceMs,
  });
  const reached = {
    reserving: () => rig.server.requests.length > 0,
    downloading: () => started.length > 2,
    processing: () => downloaded.length > 4,
    posting: () => tasks.length > 4,
    idle: () => rig.server.requests.length > 1,
  };
  const started = eventsOf(worker, 'task_started');
  const downloaded = eventsOf(worker, 'downloaded');
  const tasks = eventsOf(worker, 'task');
  const running = worker.run({ handleSignals: true });
  await driveUntil(rig.clock, reached[stage], 120_000);
  const stoppedAt = rig.clock.now();
  process.emit('SIGTERM', 'SIGTERM');
  const report = await drive(rig.clock, running, { maxMs: 120_000, stepMs: 50 });
  rig.server.settle();
  return { report, job, worker, tookMs: rig.clock.now() - stoppedAt };
}

describe('T4 SIGTERM at any stage loses no task silently', () => {
  it.each(['reserving', 'downloading', 'processing', 'posting', 'idle'] as const)(
    'accounts for every task when told to end while %s, within the grace period',
    async (stage) => {
      const rig = createRig();
      const { report, worker, tookMs, job } = await stopAt(stage, rig, 25_000);
      expect(report.reason).toBe('signal');
      expect(accounted(report)).toBe(report.taken);
      expect(report.abandoned).toBe(0);
      expect(report.posted).toBe(report.taken);
      expect(job.ledger.total('delivered')).toBe(report.taken);
      expect(tookMs).toBeLessThanOrEqual(26_000);
      expect(worker.state).toBe('stopped');
    },
  );

  it.each(['downloading', 'processing', 'posting'] as const)(
    'abandons by name what does not fit a short grace period, while %s',
    async (stage) => {
      const rig = createRig();
      const { report, tookMs } = await stopAt(stage, rig, 1_000);
      expect(accounted(report)).toBe(report.taken);
      expect(tookMs).toBeLessThanOrEqual(2_000);
    },
  );

  it('ends within the grace period although a handler never returns, and names its task', async () => {
    const rig = createRig();
    rig.job(5);
    const worker = rig.worker({ definition: { process: () => new Promise<never>(() => undefined) } });
    const abandoned = eventsOf(worker, 'abandoned');
    const started = eventsOf(worker, 'downloaded');
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => started.length > 0);
    const stoppedAt = rig.clock.now();
    const report = await stopDriven(rig, worker, running, { stepMs: 100 });
    expect(rig.clock.now() - stoppedAt).toBeLessThanOrEqual(26_000);
    expect(report.abandoned).toBe(report.taken);
    expect(abandoned.flatMap(({ tasks }) => tasks)).toHaveLength(report.taken);
  });

  it('ends at once on a second signal', async () => {
    const rig = createRig();
    rig.job(5);
    const worker = rig.worker({ definition: { process: modelOf(rig.clock, 20_000) } });
    const downloaded = eventsOf(worker, 'downloaded');
    const running = worker.run();
    await driveUntil(rig.clock, () => downloaded.length > 0);
    const before = process.exitCode;
    process.emit('SIGTERM', 'SIGTERM');
    await rig.clock.advance(100);
    const stoppedAt = rig.clock.now();
    process.emit('SIGTERM', 'SIGTERM');
    const report = await drive(rig.clock, running, { stepMs: 50 });
    expect(process.exitCode).toBe(143);
    process.exitCode = before;
    expect(rig.clock.now() - stoppedAt).toBeLessThanOrEqual(1_100);
    expect(accounted(report)).toBe(report.taken);
  });

  it('finishes last deliveries first when time is short: nobody else would get them', async () => {
    const rig = createRig({ dialect: 'token' });
    const job = rig.job(20);
    // A peer takes two tasks and dies; they come again as second, last deliveries.
    const lost = await drive(rig.clock, rig.client.tasks.reserve(job.id, { batchSize: 2 }));
    const worker = rig.worker({
      definition: { process: modelOf(rig.clock, 1_000) },
      concurrency: 1,
      graceMs: 25_000,
    });
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(20_000);
    job.expireLeases();
    const redelivered = eventsOf(worker, 'task_started');
    await driveUntil(rig.clock, () => redelivered.some(({ attempt }) => attempt === 2));
    const report = await stopDriven(rig, worker, running, { stepMs: 50 });
    rig.server.settle();
    expect(accounted(report)).toBe(report.taken);
    for (const { image_id } of lost) expect(job.ledger.image(image_id).outcome).toBe('success');
  });
});
