import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutboxEntry } from '../../../src/worker/outbox/entry.js';
import { JobQueue, type PostMoment } from '../../../src/worker/outbox/job-queue.js';
import { errorOutcome } from '../../../src/worker/task/outcome.js';
import type { Pipeline } from '../../../src/worker/executors/pipeline.js';
import { WorkItem } from '../../../src/worker/task/work-item.js';

const LINGER_MS = 100;

const task = { id: '1', image_id: '1', image_url: '', reply_subject: '' };
const outcome = errorOutcome('1', 'x');

function entry(leasedAtMs: number, enqueuedAtMs: number, bytes: number): OutboxEntry {
  const job = { id: 1, pipeline: {} as Pipeline };
  const item = new WorkItem(task, job, { monotonicMs: leasedAtMs, wallMs: 0 });
  return { item, outcome, bytes, enqueuedAtMs };
}

function moment(nowMs: number, changes: Partial<PostMoment> = {}): PostMoment {
  return {
    nowMs,
    lingerMs: LINGER_MS,
    maxBytes: 50,
    maxResults: 5,
    inFlight: 0,
    nothingComing: () => false,
    urgent: () => false,
    ...changes,
  };
}

describe('JobQueue', () => {
  it('gives the shortest leases first, and keeps the rest', () => {
    const queue = new JobQueue();
    for (const leasedAtMs of [30, 10, 20, 50, 40, 0]) queue.add(entry(leasedAtMs, 0, 1));
    const taken = queue.takeDue(moment(0)).map(({ item }) => item.leasedAt.monotonicMs);
    expect(taken).toEqual([0, 10, 20, 30, 40]);
    expect(queue.size).toBe(1);
  });

  it('waits for company until it is full, has waited, cannot wait, or nobody comes', () => {
    const queue = new JobQueue();
    queue.add(entry(0, 0, 1));
    expect(queue.takeDue(moment(LINGER_MS - 1))).toEqual([]);
    expect(queue.takeDue(moment(0, { inFlight: 1, nothingComing: () => true }))).toEqual([]);
    expect(queue.takeDue(moment(0, { nothingComing: () => true }))).toHaveLength(1);
    queue.add(entry(0, 0, 1));
    expect(queue.takeDue(moment(0, { urgent: () => true }))).toHaveLength(1);
    queue.add(entry(0, 0, 50));
    expect(queue.takeDue(moment(0))).toHaveLength(1);
    queue.add(entry(0, 0, 1));
    expect(queue.takeDue(moment(LINGER_MS))).toHaveLength(1);
  });

  it('knows its bytes and its oldest entry, whatever is added and taken', () => {
    const step = fc.record({
      leasedAtMs: fc.nat(100),
      waitMs: fc.nat(30),
      bytes: fc.integer({ min: 1, max: 30 }),
      isTaken: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const queue = new JobQueue();
        let waiting: OutboxEntry[] = [];
        let nowMs = 0;
        for (const { leasedAtMs, waitMs, bytes, isTaken } of steps) {
          nowMs += waitMs;
          const added = entry(leasedAtMs, nowMs, bytes);
          queue.add(added);
          waiting.push(added);
          const oldestMs = Math.min(...waiting.map(({ enqueuedAtMs }) => enqueuedAtMs));
          expect(queue.dueAtMs(LINGER_MS)).toBe(oldestMs + LINGER_MS);
          if (!isTaken) continue;
          const isDue =
            waiting.length >= 5 ||
            waiting.reduce((sum, { bytes: size }) => sum + size, 0) >= 50 ||
            nowMs >= oldestMs + LINGER_MS;
          const taken = queue.takeDue(moment(nowMs));
          expect(taken.length > 0).toBe(isDue);
          waiting = waiting.filter((one) => !taken.includes(one));
          expect(queue.size).toBe(waiting.length);
        }
      }),
    );
  });
});
