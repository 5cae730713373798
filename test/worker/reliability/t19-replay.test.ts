import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobHandle } from 'antenna-sdk/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decideReplay } from '../../../src/worker/spool/replay-decision.js';
import { createRig, drive, driveUntil, eventsOf, type Rig } from './rig.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spool-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Leaves computed results in the spool, lets something happen to the job, and starts a worker on them. */
async function replayAfter(happening: (rig: Rig, job: JobHandle) => Promise<void> | void) {
  const rig = createRig({ dialect: 'token' });
  const job = rig.job(4);
  const outage = rig.server.faults.outage({}, { route: 'result' });
  const first = rig.worker({ spool: { directory } });
  const tasks = eventsOf(first, 'task');
  const spooled = eventsOf(first, 'spooled');
  const running = first.run({ handleSignals: false });
  await driveUntil(rig.clock, () => tasks.length >= 2 && spooled.length >= 2, 3_600_000, true);
  const stopping = first.stop({ graceMs: 1_000 });
  const report = await drive(rig.clock, running, { stepMs: 50, disk: true });
  await stopping;
  outage.remove();
  await happening(rig, job);
  const postsBefore = rig.server.requests.filter(({ path }) => path.endsWith('/result/')).length;
  const second = rig.worker({ spool: { directory }, pipelines: [OTHER] });
  const replayed = eventsOf(second, 'replayed');
  const again = second.run({ handleSignals: false });
  await driveUntil(rig.clock, () => second.state === 'running', 3_600_000, true);
  const posts = rig.server.requests.filter(({ path }) => path.endsWith('/result/')).length - postsBefore;
  const ending = second.stop({ graceMs: 1_000 });
  await drive(rig.clock, again, { stepMs: 50, disk: true });
  await ending;
  rig.server.settle();
  return { rig, job, report, posts, outcomes: new Set(replayed.map(({ outcome }) => outcome)) };
}

/** Takes no part in the job, so that only the replay posts. */
const OTHER = {
  name: 'Other',
  slug: 'other',
  version: 1,
  algorithms: [{ key: 'other-box', name: 'other-box', task_type: 'detection' }],
  process: () => ({ detections: [] }),
};

const dead = async (): Promise<number> => (await readdir(join(directory, 'dead'))).length;

describe('T19 results on disk of a job that has moved on', () => {
  it('are posted when nothing has happened', async () => {
    const { job, report, outcomes } = await replayAfter(() => undefined);
    expect([...outcomes]).toEqual(['posted']);
    expect(job.ledger.total('counted')).toBe(report.spooled);
    expect(await dead()).toBe(0);
  });

  it('are not posted into a finished job', async () => {
    const { posts, outcomes } = await replayAfter((_rig, job) => {
      job.cancel();
    });
    expect(posts).toBe(0);
    expect([...outcomes]).toEqual(['the job is REVOKED']);
    expect(await dead()).toBeGreaterThan(0);
  });

  it('are not posted into a job that was started again: the old subjects would acknowledge other tasks', async () => {
    const { posts, outcomes, job } = await replayAfter(async (rig, restarted) => {
      await rig.clock.advance(5_000);
      restarted.retry();
      await rig.clock.advance(5_000);
    });
    expect(job.status).toBe('STARTED');
    expect(posts).toBe(0);
    expect([...outcomes]).toEqual(['the job was started again since']);
    expect(job.ledger.total('counted')).toBe(0);
  });

  it('are not posted into a job that is gone', async () => {
    const { posts, outcomes } = await replayAfter((_rig, job) => {
      job.delete();
    });
    expect(posts).toBe(0);
    expect([...outcomes]).toEqual(['the job is gone']);
  });

  it('are not posted when they are older than half an hour', async () => {
    const { posts, outcomes } = await replayAfter((rig) => rig.clock.advance(31 * 60_000));
    expect(posts).toBe(0);
    expect([...outcomes]).toEqual(['too old']);
  });
});

describe('decideReplay', () => {
  const base = {
    createdAtMs: Date.UTC(2026, 6, 1, 12),
    nowMs: Date.UTC(2026, 6, 1, 12, 10),
    maxAgeMs: 1_800_000,
  };

  it('reads the server’s time as New York time', () => {
    // 07:59 in New York is 11:59 UTC in July: before the results were written.
    expect(
      decideReplay({ ...base, job: { status: 'STARTED', started_at: '2026-07-01T07:59:00' } }).post,
    ).toBe(true);
    expect(
      decideReplay({ ...base, job: { status: 'STARTED', started_at: '2026-07-01T08:01:00' } }).post,
    ).toBe(false);
  });

  it.each([null, undefined, 'yesterday'])('posts nothing into a job whose start is %s', (started_at) => {
    expect(decideReplay({ ...base, job: { status: 'STARTED', started_at } }).post).toBe(false);
  });
});
