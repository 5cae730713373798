import { describe, expect, it } from 'vitest';
import { runPace } from '../../bench/pace.js';
import { streamPlace } from '../../src/worker/policy/delivery.js';
import { anyImage, createRig, drive, driveUntil, eventsOf, modelOf } from './reliability/rig.js';

/** Six results a second against leases of 30 s, and a model that does a hundred. */
const SLOW = { visibilityTimeoutMs: 30_000, maxDeliveries: 5, saving: { perSecond: 6 } };

describe('a worker whose server saves slowly', () => {
  it.each([1, 2])('has each task done once, at the server’s own rate: %i workers', async (workers) => {
    const got = await runPace({ workers, leaseMs: 30_000, tasks: 500, perSecond: 6 });
    expect(got.status).toBe('SUCCESS');
    expect(got.reservedPerTask).toBeLessThanOrEqual(1.05);
    expect(got.computedPerTask).toBeLessThanOrEqual(1.05);
    expect(got.savedPerSecond).toBeGreaterThan(0.95 * 6);
    expect(got.maxDeliveries).toBeLessThan(5);
    expect(got.unevenness).toBeLessThan(2);
  });

  it('doubled the work when it could not see the numbers, and halves what it takes when tasks come again', async () => {
    const got = await runPace({ workers: 2, leaseMs: 30_000, tasks: 500, perSecond: 6, blind: true });
    expect(got.looks).toBe(0);
    expect(got.reservedPerTask).toBeGreaterThan(1.2);
    expect(got.status).toBe('SUCCESS');
  });

  it('goes on where stages lose updates (T52)', async () => {
    const got = await runPace({ workers: 1, leaseMs: 30_000, tasks: 300, perSecond: 20, lostUpdates: 0.2 });
    expect(got.reservedPerTask).toBeLessThan(1.1);
    expect(got.savedPerSecond).toBeGreaterThan(0.9 * 20);
  });

  it('says so: event, metrics and explain name the saving, until the server keeps up', async () => {
    const { clock, server, job, worker } = createRig(SLOW);
    const night = job(3_000);
    const one = worker({ leaseMs: 30_000, definition: { process: modelOf(clock, 10) }, fetch: anyImage });
    const events = eventsOf(one, 'saving');
    const run = one.run({ until: 'drained' });
    await driveUntil(clock, () => night.ledger.total('counted') >= 150);
    expect(events[0]).toMatchObject({ jobId: night.id, pipeline: 'test-moths', limited: true });
    const { hold, saving } = one.metrics().gauges;
    expect(hold?.bound).toBe('saving');
    expect(saving[night.id]?.perSecond).toBeGreaterThan(4);
    expect(saving[night.id]?.outstanding).toBeLessThan(120);
    expect(one.explain()).toMatch(/saving is the limit: it saves \d+\.\d results a second/);
    server.saving.perSecond = Number.POSITIVE_INFINITY;
    server.settle();
    await drive(clock, run);
    expect(events.at(-1)).toMatchObject({ limited: false });
    expect(night.status).toBe('SUCCESS');
    const look = server.requests.find(({ path }) => path.endsWith(`/jobs/${night.id}/`));
    expect(look?.query).toMatchObject({ logs_limit: '1' });
  });
});

describe('a server that saves at once', () => {
  it('is asked nothing about a small job, and next to nothing about a large one, at the same speed', async () => {
    const small = await runPace({ workers: 1, leaseMs: 30_000, tasks: 25 });
    expect(small.looks).toBe(0);
    const large = { workers: 1, leaseMs: 30_000, tasks: 1_500 };
    const before = await runPace({ ...large, blind: true });
    const got = await runPace(large);
    expect(got.looks).toBeLessThanOrEqual(3);
    expect(got.savedPerSecond).toBeGreaterThan(0.98 * before.savedPerSecond);
  });

  // Seven of eight did not take the first tasks, and waited a quarter of a second for their second look: 150 ms of the whole fleet's time.
  it('does not have a fleet wait that begins on one job together', async () => {
    const fleet = { workers: 8, leaseMs: 30_000, tasks: 8_000 };
    const before = await runPace({ ...fleet, blind: true });
    const got = await runPace(fleet);
    expect(got.looks).toBeLessThanOrEqual(4 * fleet.workers);
    expect(got.savedPerSecond).toBeGreaterThan(0.98 * before.savedPerSecond);
  });
});

describe('a task whose accepted result waits to be saved', () => {
  it.each([
    { maxDeliveries: 5, posted: 1, what: 'is not posted again while the backlog explains it' },
    { maxDeliveries: 2, posted: 2, what: 'is posted again on its last delivery' },
  ])('$what', async ({ maxDeliveries, posted }) => {
    const { clock, server, job, worker } = createRig({ ...SLOW, maxDeliveries });
    const night = job(300);
    const one = worker({ leaseMs: 30_000, maxDeliveries, definition: { process: modelOf(clock, 10) } });
    const run = one.run({ until: 'drained' });
    await driveUntil(clock, () => night.ledger.total('counted') >= 60);
    server.saving.perSecond = 0;
    const again = () => [...night.ledger.images.values()].filter(({ deliveries }) => deliveries === 2);
    night.expireLeases();
    await driveUntil(clock, () => again().length > 0, 30_000);
    await clock.advance(2_000);
    expect(again().map((account) => account.posted)).toEqual(again().map(() => posted));
    server.saving.perSecond = 1_000;
    expect((await drive(clock, run)).succeeded).toBe(300);
    expect(night.status).toBe('SUCCESS');
  });

  it('is posted again when its saving failed', async () => {
    const { clock, server, job, worker } = createRig({ visibilityTimeoutMs: 30_000, maxDeliveries: 5 });
    const night = job(5);
    server.faults.saveFailure({ times: 1 });
    const one = worker({ leaseMs: 30_000, definition: { process: modelOf(clock, 10) } });
    const report = await drive(clock, one.run({ until: 'drained' }));
    expect(night.status).toBe('SUCCESS');
    expect(report.succeeded).toBe(5);
    expect(night.ledger.total('posted')).toBe(6);
  });
});

describe('streamPlace', () => {
  it.each([
    ['$JS.ACK.job_6.job-6-consumer.1.7.9.1795229820330931041.11', { streamSequence: 7, undelivered: 11 }],
    ['$JS.ACK.hub.acc.job_6.consumer.2.7.9.1795229820330931041.0.tok', { streamSequence: 7, undelivered: 0 }],
    ['$JS.ACK.job_6.job-6-consumer.1.x.9.1795229820330931041.11', undefined],
    ['somewhere.else', undefined],
  ])('reads %s as %o', (subject, place) => {
    expect(streamPlace(subject)).toEqual(place);
  });
});
