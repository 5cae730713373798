import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestClock } from 'antenna-sdk/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LeaseClock } from '../../../src/worker/policy/lease/lease.js';
import { outboxEntry, type OutboxEntry } from '../../../src/worker/outbox/entry.js';
import { errorOutcome } from '../../../src/worker/task/outcome.js';
import { WorkItem } from '../../../src/worker/task/work-item.js';
import { Spool } from '../../../src/worker/spool/spool.js';
import { pipeline } from '../../support/pipelines.js';
import { CrashDisk } from '../spool/crash-disk.js';
import { createRig, drive, driveUntil, eventsOf, stopDriven } from './rig.js';

const clock = createTestClock();
const limits = { maxBytes: 1_000_000, maxFiles: 100 };
const open = (disk: CrashDisk): Spool => new Spool({ disk, clock, limits, onTrouble: () => undefined });

function entry(id: number): OutboxEntry {
  const task = { id: String(id), image_id: String(id), image_url: 'x', reply_subject: `subject-${id}` };
  const item = new WorkItem(task, { id: 1, pipeline: pipeline() }, new LeaseClock(clock).instant());
  return outboxEntry(item, errorOutcome(String(id), 'x'.repeat(200)), 0);
}

/** Writes posts and removes every third; stops when the disk fails. @returns what was promised to be durable. */
async function work(disk: CrashDisk): Promise<Set<string>> {
  const spool = open(disk);
  const promised = new Set<string>();
  await spool.takeStock();
  for (let post = 0; post < 6; post++) {
    const ids = [post * 2, post * 2 + 1];
    const written = await spool.write(1, ids.map(entry)).catch(() => undefined);
    if (!written) break;
    for (const id of ids) promised.add(String(id));
    if (post % 3 !== 0) continue;
    for (const id of ids) promised.delete(String(id));
    const removed = await written.remove().then(
      () => true,
      () => false,
    );
    if (!removed) break;
  }
  return promised;
}

describe('T8 killed between any two steps of the spool', () => {
  it('finds every result that was promised, whole, and is not stopped by a torn file', async () => {
    const whole = new CrashDisk();
    await work(whole);
    expect(whole.steps).toBeGreaterThan(40);
    for (let step = 0; step <= whole.steps; step++) {
      for (const keepNames of [true, false]) {
        const disk = new CrashDisk(step);
        const promised = await work(disk);
        const spool = open(disk.afterPowerFailure(keepNames));
        const found = new Set<string>();
        for (const name of await spool.takeStock()) {
          const decoded = await spool.read(name);
          expect(decoded.kind, `step ${step}`).toBe('post');
          if (decoded.kind === 'post')
            for (const { outcome } of decoded.post.results) found.add(outcome.imageId);
        }
        for (const id of promised) expect(found, `step ${step}`).toContain(id);
      }
    }
  });

  it('never leaves a temporary file behind', async () => {
    const disk = new CrashDisk(3);
    await work(disk);
    const survived = disk.afterPowerFailure(true);
    await open(survived).takeStock();
    expect(await survived.list()).toEqual([]);
  });
});

describe('T8 a worker that comes back', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'spool-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  /** A worker that computed, could not post, and had to end. */
  async function leaveResults(rig: ReturnType<typeof createRig>) {
    const job = rig.job(20);
    const outage = rig.server.faults.outage({}, { route: 'result' });
    const worker = rig.worker({ spool: { directory } });
    const spooled = eventsOf(worker, 'spooled');
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => spooled.length >= 2, 3_600_000, true);
    const report = await stopDriven(rig, worker, running, { graceMs: 2_000, stepMs: 50, disk: true });
    outage.remove();
    return { job, report };
  }

  it('posts what lay on disk before it takes anything, computes nothing twice, and leaves the directory empty', async () => {
    const rig = createRig({ dialect: 'token' });
    const { job, report } = await leaveResults(rig);
    expect(report.spooled).toBeGreaterThan(0);
    expect(report.posted).toBe(0);
    expect(report.spooled + report.abandoned).toBe(report.taken);
    const files = (await readdir(directory)).filter((name) => name.endsWith('.results'));
    expect(files.length).toBeGreaterThan(0);
    expect((await stat(join(directory, files[0] ?? ''))).mode & 0o777).toBe(0o600);
    const again = rig.worker({ spool: { directory } });
    const order: string[] = [];
    again.on('replayed', () => order.push('replayed'));
    again.on('reserved', () => order.push('reserved'));
    const running = again.run({ handleSignals: false });
    await driveUntil(rig.clock, () => again.state === 'running', 3_600_000, true);
    expect(order).toContain('replayed');
    expect(order).not.toContain('reserved');
    rig.server.settle();
    expect(job.ledger.total('counted')).toBeGreaterThanOrEqual(report.spooled);
    const stopping = again.stop();
    const second = await drive(rig.clock, running, { stepMs: 50, disk: true });
    await stopping;
    expect(second.replayed).toBe(report.spooled);
    expect((await readdir(directory)).filter((name) => name.endsWith('.results'))).toEqual([]);
  });

  it('has every computed result on disk while the server takes none, not only those of the posts under way', async () => {
    const rig = createRig({ dialect: 'token' });
    rig.job(40);
    rig.server.faults.outage({}, { route: 'result' });
    const worker = rig.worker({ spool: { directory }, maxPostResults: 1 });
    const spooled = eventsOf(worker, 'spooled');
    const running = worker.run({ handleSignals: false });
    const computed = (): number => worker.held?.stages.outbox ?? 0;
    await driveUntil(rig.clock, () => computed() >= 6, 3_600_000, true);
    await driveUntil(rig.clock, () => spooled.length >= computed(), 10_000, true);
    // As a crash would leave it.
    const files = (await readdir(directory)).filter((name) => name.endsWith('.results'));
    expect(files.length).toBeGreaterThanOrEqual(6);
    const report = await stopDriven(rig, worker, running, { graceMs: 2_000, stepMs: 50, disk: true });
    expect(report.spooled + report.abandoned).toBe(report.taken);
    expect((await readdir(directory)).filter((name) => name.endsWith('.results'))).toHaveLength(
      report.spooled,
    );
  });

  it('sets aside a torn file, keeps one of another version, and posts the rest', async () => {
    const rig = createRig({ dialect: 'token' });
    const { report } = await leaveResults(rig);
    await writeFile(join(directory, '000000000000001-000000000-1.results'), '{"version":1,"jobId":1');
    await writeFile(join(directory, '000000000000002-000000000-1.results'), '{"version":99}\nwhatever');
    const again = rig.worker({ spool: { directory } });
    const replayed = eventsOf(again, 'replayed');
    const running = again.run({ handleSignals: false });
    await driveUntil(rig.clock, () => again.state === 'running', 3_600_000, true);
    const stopping = again.stop();
    const second = await drive(rig.clock, running, { stepMs: 50, disk: true });
    await stopping;
    expect(second.replayed).toBe(report.spooled);
    expect(replayed.map(({ outcome }) => outcome)).toContain('unknown version 99');
    expect(await readdir(join(directory, 'bad'))).toHaveLength(1);
    expect((await readdir(directory)).filter((name) => name.endsWith('.results'))).toHaveLength(1);
  });

  it('refuses a directory that another living worker uses, and takes it when that one has ended', async () => {
    const rig = createRig();
    rig.job(1);
    const first = rig.worker({ spool: { directory } });
    const running = first.run({ handleSignals: false });
    await driveUntil(rig.clock, () => first.state === 'running', 3_600_000, true);
    const second = rig.worker({ spool: { directory } });
    await expect(drive(rig.clock, second.run({ handleSignals: false }), { disk: true })).rejects.toThrow(
      'give every worker a directory of its own',
    );
    await stopDriven(rig, first, running, { disk: true });
    const third = rig.worker({ spool: { directory } });
    const report = await drive(rig.clock, third.run({ until: 'drained', handleSignals: false }), {
      disk: true,
    });
    expect(report.reason).toBe('drained');
  });
});
