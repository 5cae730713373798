import { describe, expect, it } from 'vitest';
import { createRig, drive, driveUntil, eventsOf, modelOf } from './rig.js';

describe('T13 the server is down for twenty minutes in the middle of a batch', () => {
  it('keeps every result, stops reserving, stays bounded, and posts all of it afterwards', async () => {
    const rig = createRig({ dialect: 'token' });
    const job = rig.job(500);
    const worker = rig.worker({ definition: { process: modelOf(rig.clock, 200) } });
    const retries = eventsOf(worker, 'post_retry');
    const tasks = eventsOf(worker, 'task');
    const running = worker.run({ until: 'drained', handleSignals: false });
    await driveUntil(rig.clock, () => job.ledger.total('counted') > 50);
    const outage = rig.server.faults.outage();
    const requestsBefore = rig.server.requests.length;
    await rig.clock.advance(20 * 60_000);
    const computedInOutage = tasks.length;
    expect(worker.held?.count).toBeLessThanOrEqual(256);
    expect(rig.server.requests.length - requestsBefore).toBeLessThan(400);
    expect(retries.length).toBeGreaterThan(5);
    for (const { delayMs } of retries) expect(delayMs).toBeLessThanOrEqual(60_000);
    await rig.clock.advance(60_000);
    expect(tasks.length).toBe(computedInOutage);
    outage.remove();
    const report = await drive(rig.clock, running, { stepMs: 1_000 });
    rig.server.settle();
    expect(job.status).toBe('SUCCESS');
    expect(report).toMatchObject({ posted: report.taken, dropped: 0, abandoned: 0 });
  });

  it('holds results while the credential is refused, takes nothing, and goes on when it is accepted again', async () => {
    const rig = createRig();
    const job = rig.job(200);
    const worker = rig.worker({ definition: { process: modelOf(rig.clock, 200) } });
    const retries = eventsOf(worker, 'post_retry');
    const running = worker.run({ until: 'drained', handleSignals: false });
    await driveUntil(rig.clock, () => job.ledger.total('counted') > 20);
    const refusal = rig.server.faults.answer({ status: 401, body: { detail: 'Invalid API key.' } });
    await rig.clock.advance(10_000);
    const asked = rig.server.requests.length;
    await rig.clock.advance(120_000);
    // Posts every 7.5 s, reservations, and the list of jobs.
    expect(rig.server.requests.length - asked).toBeLessThan(60);
    // A quarter of the lease: a new key must be noticed before others compute what waits here.
    expect(Math.max(...retries.map(({ delayMs }) => delayMs))).toBe(7_500);
    refusal.remove();
    const report = await drive(rig.clock, running, { stepMs: 1_000 });
    rig.server.settle();
    expect(job.counts).toMatchObject({ processed: 200, failed: 0 });
    expect(report).toMatchObject({ dropped: 0, abandoned: 0 });
  });
});
