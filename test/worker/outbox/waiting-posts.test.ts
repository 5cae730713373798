import { createTestClock } from 'antenna-sdk/testing';
import { describe, expect, it, vi } from 'vitest';
import { LeaseClock } from '../../../src/worker/policy/lease/lease.js';
import { outboxEntry } from '../../../src/worker/outbox/entry.js';
import { WaitingPosts, type WaitingPost } from '../../../src/worker/outbox/waiting-posts.js';
import { errorOutcome } from '../../../src/worker/task/outcome.js';
import { WorkItem } from '../../../src/worker/task/work-item.js';
import { pipeline } from '../../support/pipelines.js';
import { createRig, driveUntil, stopDriven } from '../reliability/rig.js';

const clock = createTestClock();
const leaseClock = new LeaseClock(clock);

async function post(jobId: number, imageId: string): Promise<WaitingPost> {
  await clock.advance(1_000);
  const task = { id: imageId, image_id: imageId, image_url: 'x', reply_subject: imageId };
  const item = new WorkItem(task, { id: jobId, pipeline: pipeline() }, leaseClock.instant());
  return { jobId, entries: [outboxEntry(item, errorOutcome(imageId, 'x'), 0)], written: undefined };
}

describe('WaitingPosts', () => {
  it('gives the post whose lease began first, of a job that may post, and each once', async () => {
    const [first, second, third] = [await post(1, 'a'), await post(2, 'b'), await post(1, 'c')];
    const waiting = new WaitingPosts();
    for (const one of [third, second, first]) waiting.add(one);
    expect(waiting.takeNext((jobId) => jobId === 2)).toBe(second);
    expect(waiting.takeNext(() => false)).toBeUndefined();
    expect(waiting.takeNext(() => true)).toBe(first);
    expect(waiting.takeAll()).toEqual([third]);
    expect(waiting.takeNext(() => true)).toBeUndefined();
  });
});

describe('an outbox whose posts are all stalled', () => {
  it('sleeps until one ends, however long its results have waited', async () => {
    const rig = createRig({ dialect: 'token' });
    rig.job(40);
    const stall = rig.server.faults.stallHeaders({}, { route: 'result' });
    const worker = rig.worker({ maxPostResults: 1 });
    const running = worker.run({ handleSignals: false });
    await driveUntil(rig.clock, () => (worker.held?.stages.outbox ?? 0) >= 32);
    const schedule = vi.spyOn(rig.clock, 'schedule');
    await rig.clock.advance(5_000);
    expect(schedule.mock.calls.length).toBeLessThan(100);
    stall.remove();
    const report = await stopDriven(rig, worker, running);
    expect(report.posted + report.abandoned).toBe(report.taken);
  });
});
