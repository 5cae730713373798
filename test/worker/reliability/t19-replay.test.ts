import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobHandle } from 'antenna-sdk/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decideReplay, onServerClock } from '../../../src/worker/spool/replay-decision.js';
import { createRig, drive, driveUntil, eventsOf, stopDriven, type Rig } from './rig.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spool-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Leaves computed results in the spool, lets something happen to the job, and starts a worker on them. */
async function replayAfter(
  happening: (rig: Rig, job: JobHandle) => Promise<void> | void,
  skewMs: () => number = () => 0,
) {
  const rig = createRig({ dialect: 'token', skewMs });
  const job = rig.job(4);
  const outage = rig.server.faults.outage({}, { route: 'result' });
  const first = rig.worker({ spool: { directory } });
  const tasks = eventsOf(first, 'task');
  const spooled = eventsOf(first, 'spooled');
  const running = first.run({ handleSignals: false });
  await driveUntil(rig.clock, () => tasks.length >= 2 && spooled.length >= 2, 3_600_000, true);
  const report = await stopDriven(rig, first, running, { graceMs: 1_000, stepMs: 50, disk: true });
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

describe('T19 on a machine whose clock is wrong, results on disk', () => {
  const startAgain = async (rig: Rig, job: JobHandle): Promise<void> => {
    await rig.clock.advance(5_000);
    job.retry();
    await rig.clock.advance(5_000);
  };

  it.each([
    ['five minutes slow', -300_000],
    ['five minutes fast', 300_000],
    ['a day slow', -86_400_000],
    ['years slow, as without a battery', -1_500_000_000_000],
  ])(
    'are posted when nothing has happened, and not into a job that was started again: %s',
    async (_, skewMs) => {
      const { outcomes, report, job } = await replayAfter(
        () => undefined,
        () => skewMs,
      );
      expect([...outcomes]).toEqual(['posted']);
      expect(job.ledger.total('counted')).toBe(report.spooled);
      await rm(directory, { recursive: true });
      const again = await replayAfter(startAgain, () => skewMs);
      expect([...again.outcomes]).toEqual(['the job was started again since']);
      expect(again.posts).toBe(0);
    },
  );

  it.each([
    ['was set right in between', -300_000, 0],
    ['went wrong in between', 0, 7_200_000],
  ])('are judged by when they were written, although the clock %s', async (_, before, after) => {
    let skewMs = before;
    const { outcomes } = await replayAfter(
      () => {
        skewMs = after;
      },
      () => skewMs,
    );
    expect([...outcomes]).toEqual(['posted']);
    await rm(directory, { recursive: true });
    skewMs = before;
    const again = await replayAfter(
      async (rig, job) => {
        await startAgain(rig, job);
        skewMs = after;
      },
      () => skewMs,
    );
    expect([...again.outcomes]).toEqual(['the job was started again since']);
  });

  it('are too old by the server’s clock, not by ours', async () => {
    let skewMs = 0;
    const { outcomes } = await replayAfter(
      async (rig) => {
        await rig.clock.advance(31 * 60_000);
        skewMs = -31 * 60_000;
      },
      () => skewMs,
    );
    expect([...outcomes]).toEqual(['too old']);
  });
});

it('a worker on a machine whose clock is five minutes slow is alive, and its health names the clock', async () => {
  const rig = createRig({ skewMs: () => -300_000 });
  const worker = rig.worker();
  const running = worker.run({ handleSignals: false });
  await driveUntil(rig.clock, () => rig.client.clockOffsetMs !== undefined, 60_000);
  const { status, live, checks } = worker.health();
  expect({ status, live }).toEqual({ status: 'degraded', live: true });
  expect(checks.find(({ name }) => name === 'clock')?.detail).toMatch(
    /^this machine's clock is (299|300|301) s behind/,
  );
  await stopDriven(rig, worker, running);
});

describe('onServerClock', () => {
  it('takes the offset that is known for one that is not, and none when none is', () => {
    const written = { createdAtMs: 1_000 };
    expect(onServerClock(written, { nowMs: 2_000, clockOffsetMs: 50 })).toEqual({
      createdAtMs: 1_050,
      nowMs: 2_050,
    });
    expect(
      onServerClock({ ...written, clockOffsetMs: 7 }, { nowMs: 2_000, clockOffsetMs: undefined }),
    ).toEqual({
      createdAtMs: 1_007,
      nowMs: 2_007,
    });
    expect(onServerClock(written, { nowMs: 2_000, clockOffsetMs: undefined })).toEqual({
      createdAtMs: 1_000,
      nowMs: 2_000,
    });
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

describe('T19 a job whose posts hang', () => {
  it('keeps no worker from starting on others, and is posted as soon as it can be', async () => {
    const rig = createRig({ dialect: 'token' });
    const stuck = rig.job(4);
    const hang = rig.server.faults.intervene(() => Promise.resolve({ kind: 'silence' }), {
      route: 'result',
      where: ({ path }) => path.includes(`/jobs/${stuck.id}/`),
    });
    const first = rig.worker({ spool: { directory } });
    const tasks = eventsOf(first, 'task');
    const spooled = eventsOf(first, 'spooled');
    const running = first.run({ handleSignals: false });
    await driveUntil(rig.clock, () => tasks.length >= 2 && spooled.length >= 2, 3_600_000, true);
    const { spooled: left } = await stopDriven(rig, first, running, {
      graceMs: 1_000,
      stepMs: 50,
      disk: true,
    });
    const good = rig.job(20);
    const second = rig.worker({ spool: { directory } });
    const replayed = eventsOf(second, 'replayed');
    const again = second.run({ handleSignals: false });
    await driveUntil(rig.clock, () => good.results.length === 20, 30_000, true);
    expect(replayed).toEqual([]);
    hang.remove();
    await driveUntil(
      rig.clock,
      () => replayed.reduce((sum, { count }) => sum + count, 0) === left,
      120_000,
      true,
    );
    const ending = second.stop({ graceMs: 1_000 });
    await drive(rig.clock, again, { stepMs: 50, disk: true });
    await ending;
    expect(left).toBeGreaterThan(0);
  });
});
