import { startHealthServer } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { createRig, drive, driveUntil, modelOf } from '../reliability/rig.js';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

describe('the metrics of a worker', () => {
  it('agree with its report and with the server, and time every stage', async () => {
    const rig = createRig();
    const job = rig.job(60);
    const worker = rig.worker({ definition: { process: modelOf(rig.clock, 100) } });
    const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }));
    const { counters, stages, leaseSlack, deliveries, gauges, lateRatio } = worker.metrics();
    expect(counters).toMatchObject({ reserved: 60, succeeded: 60, posted: 60, failed: 0, late: 0 });
    expect(counters.posted).toBe(report.posted);
    expect(job.ledger.total('counted')).toBe(60);
    for (const [stage, { count }] of Object.entries(stages)) expect(count, stage).toBeGreaterThan(0);
    expect(stages.encode.count).toBe(60);
    expect(stages.process.p50Ms).toBeGreaterThanOrEqual(99);
    expect([leaseSlack.start.count, leaseSlack.post.count]).toEqual([60, 60]);
    expect(leaseSlack.post.maxMs).toBeLessThan(30_000);
    expect(deliveries).toEqual({ '1': 60 });
    expect(lateRatio).toBe(0);
    expect(gauges).toMatchObject({ state: 'stopped', held: { count: 0, bytes: 0 }, outbox: { count: 0 } });
    expect(gauges.estimates['test-moths']?.taskMeanMs).toBeGreaterThan(0);
  });

  it('go on counting over several runs', async () => {
    const rig = createRig();
    const worker = rig.worker();
    for (const expected of [5, 10]) {
      rig.job(5);
      await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }));
      expect(worker.metrics().counters.posted).toBe(expected);
    }
  });

  it('count a result that was accepted after its lease as late', async () => {
    const rig = createRig();
    const job = rig.job(1);
    const worker = rig.worker({ definition: { process: modelOf(rig.clock, 40_000) } });
    const running = worker.run({ until: 'drained', handleSignals: false });
    await driveUntil(rig.clock, () => worker.held?.stages.processing === 1);
    // A worker that looks for work would be given the task again, and a fresh lease with it.
    worker.pause();
    await driveUntil(rig.clock, () => worker.held?.count === 0);
    worker.resume();
    await drive(rig.clock, running);
    expect(job.counts.processed).toBe(1);
    const { counters, lateness, lateRatio } = worker.metrics();
    expect([counters.late, lateRatio]).toEqual([1, 1]);
    expect(lateness.maxMs).toBeGreaterThan(5_000);
  });
});

describe('the health of a worker', () => {
  it('is fine before, during and after its work, idle or not', async () => {
    const rig = createRig();
    const worker = rig.worker();
    expect(worker.health()).toMatchObject({ state: 'idle', live: true, ready: false });
    const running = worker.run({ handleSignals: false });
    const job = rig.job(20);
    await driveUntil(rig.clock, () => job.ledger.total('counted') === 20);
    // A night without any job.
    await rig.clock.advance(8 * 3_600_000);
    expect(worker.health()).toMatchObject({ state: 'running', status: 'ok', live: true, ready: true });
    await drive(rig.clock, worker.stop());
    await running;
    expect(worker.health()).toMatchObject({ state: 'stopped', status: 'ok', live: true, ready: false });
  });

  it('is degraded while the server is away, however long, and never asks for a restart that would lose results', async () => {
    const rig = createRig();
    const job = rig.job(100);
    const worker = rig.worker({ definition: { process: modelOf(rig.clock, 200) } });
    const running = worker.run({ until: 'drained', handleSignals: false });
    await driveUntil(rig.clock, () => job.ledger.total('counted') > 10);
    const outage = rig.server.faults.outage();
    await rig.clock.advance(45 * 60_000);
    expect(worker.held?.count).toBeGreaterThan(0);
    expect(worker.health()).toMatchObject({ status: 'degraded', live: true, ready: false });
    outage.remove();
    await drive(rig.clock, running, { stepMs: 1_000 });
    expect(worker.metrics().counters.dropped).toBe(0);
  });

  it('asks for a restart when a handler never returns and nothing ends it', async () => {
    const rig = createRig();
    rig.job(1);
    const never = (): Promise<never> => new Promise(() => undefined);
    const worker = rig.worker({ definition: { process: never }, processTimeoutMs: 7_200_000 });
    const running = worker.run({ handleSignals: false });
    await rig.clock.advance(1_900_000);
    const { live, checks } = worker.health();
    expect(live).toBe(false);
    expect(checks.find(({ name }) => name === 'held')).toMatchObject({ status: 'stuck' });
    await drive(rig.clock, worker.stop());
    await running;
  });

  it('is what the health port serves, with the metrics', async () => {
    const rig = createRig();
    const worker = rig.worker();
    const port = await startHealthServer({ source: worker, port: 0 });
    cleanups.push(() => port.close());
    const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port.port}${path}`);
    expect((await get('/readyz')).status).toBe(503);
    rig.job(7);
    await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }));
    expect((await get('/livez')).status).toBe(200);
    expect(await (await get('/metrics')).text()).toMatch(/^antenna_worker_posted_total 7$/m);
  });
});
