import { describe, expect, it } from 'vitest';
import { accounted, createRig, drive, driveUntil, eventsOf, stopDriven } from './rig.js';

describe('T5 a stop while posts are on their way', () => {
  it('waits for them: everything computed is confirmed', async () => {
    const rig = createRig();
    const job = rig.job(60);
    rig.server.faults.latency(4_000, { route: 'result' });
    const worker = rig.worker();
    const tasks = eventsOf(worker, 'task');
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => tasks.length > 0);
    const report = await stopDriven(rig, worker, running, { stepMs: 100 });
    rig.server.settle();
    expect(report.posted).toBe(report.taken);
    expect(job.ledger.total('counted')).toBe(report.taken);
  });

  it('does not let a backoff outlast the grace period: a server that comes back in time gets them', async () => {
    const rig = createRig();
    const job = rig.job(20);
    const worker = rig.worker();
    const tasks = eventsOf(worker, 'task');
    const outage = rig.server.faults.outage({}, { route: 'result' });
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => tasks.length > 0);
    await rig.clock.advance(120_000);
    const stopping = worker.stop();
    await rig.clock.advance(3_000);
    outage.remove();
    const report = await drive(rig.clock, running, { stepMs: 100 });
    await stopping;
    rig.server.settle();
    expect(report.posted).toBe(report.taken);
    expect(job.ledger.total('counted')).toBe(report.taken);
  });

  it('reports as abandoned what a dead server never took', async () => {
    const rig = createRig();
    rig.job(20);
    const worker = rig.worker();
    const tasks = eventsOf(worker, 'task');
    rig.server.faults.outage({}, { route: 'result' });
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => tasks.length > 0);
    const report = await stopDriven(rig, worker, running, { stepMs: 100 });
    expect(report.abandoned).toBe(report.taken);
    expect(accounted(report)).toBe(report.taken);
  });
});
