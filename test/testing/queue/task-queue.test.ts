import { describe, expect, it } from 'vitest';
import { createTestClock } from '../../../src/testing/index.js';
import { parseReplySubject } from '../../../src/testing/queue/reply-subject.js';
import { TaskQueue } from '../../../src/testing/queue/task-queue.js';
import type { Delivery } from '../../../src/testing/queue/task-queue.js';

const LIMITS = { visibilityTimeoutMs: 30_000, maxDeliveries: 3, maxOutstanding: 4 };

function newQueue(images: number, limits = LIMITS) {
  const clock = createTestClock();
  const queue = new TaskQueue(7, limits, clock);
  for (let index = 1; index <= images; index++) queue.publish(`i${index}`, `https://x.example/${index}`);
  return { clock, queue };
}

const ids = (deliveries: readonly Delivery[]): string[] => deliveries.map((delivery) => delivery.imageId);
const sequence = (delivery: Delivery | undefined): number =>
  parseReplySubject(delivery?.replySubject ?? '')?.streamSequence ?? 0;

describe('the task queue', () => {
  it('gives tasks in the order in which they were published', () => {
    const { queue } = newQueue(3);
    expect(ids(queue.reserve(2))).toEqual(['i1', 'i2']);
    expect(ids(queue.reserve(2))).toEqual(['i3']);
  });

  it('hides a delivered task until its timeout, then gives it again before new ones, under a new subject', async () => {
    const { queue, clock } = newQueue(3);
    const [first] = queue.reserve(1);
    await clock.advance(29_999);
    expect(ids(queue.reserve(1))).toEqual(['i2']);
    await clock.advance(1);
    const again = queue.reserve(2);
    expect(ids(again)).toEqual(['i1', 'i3']);
    expect(again[0]?.delivery).toBe(2);
    expect(again[0]?.replySubject).not.toBe(first?.replySubject);
  });

  it('never gives a task more often than the limit', async () => {
    const { queue, clock } = newQueue(1);
    for (let delivery = 1; delivery <= 3; delivery++) {
      expect(queue.reserve(1)[0]?.delivery).toBe(delivery);
      await clock.advance(30_000);
    }
    expect(queue.reserve(1)).toEqual([]);
    expect(queue.counts()).toEqual({ waiting: 0, outstanding: 0, acknowledged: 0, exhausted: 1 });
  });

  it('holds new tasks back while too many are unacknowledged, but not redeliveries', async () => {
    const { queue, clock } = newQueue(6);
    expect(queue.reserve(10)).toHaveLength(4);
    expect(queue.reserve(1)).toEqual([]);
    await clock.advance(30_000);
    expect(ids(queue.reserve(10))).toEqual(['i1', 'i2', 'i3', 'i4']);
    queue.acknowledge(1);
    expect(ids(queue.reserve(10))).toEqual(['i5']);
  });

  it('takes the acknowledgement of any delivery of a task', async () => {
    const { queue, clock } = newQueue(1);
    const [first] = queue.reserve(1);
    await clock.advance(30_000);
    queue.reserve(1);
    expect(queue.acknowledge(sequence(first))).toBe('i1');
    await clock.advance(30_000);
    expect(queue.reserve(1)).toEqual([]);
    expect(queue.acknowledge(sequence(first))).toBeUndefined();
  });

  it('takes an acknowledgement after the last timeout', async () => {
    const { queue, clock } = newQueue(1, { ...LIMITS, maxDeliveries: 1 });
    const [only] = queue.reserve(1);
    await clock.advance(30_000);
    expect(queue.counts().exhausted).toBe(1);
    expect(queue.acknowledge(sequence(only))).toBe('i1');
    expect(queue.counts()).toEqual({ waiting: 0, outstanding: 0, acknowledged: 1, exhausted: 0 });
  });

  it('refuses the acknowledgement of a task that was never delivered', () => {
    const { queue } = newQueue(1);
    expect(queue.acknowledge(1)).toBeUndefined();
    expect(queue.reserve(1)).toHaveLength(1);
  });

  it('writes job, delivery, positions and what waits into the subject', () => {
    const { queue } = newQueue(3);
    queue.reserve(1);
    expect(queue.reserve(1)[0]?.replySubject).toMatch(
      /^\$JS\.ACK\.job_7\.job-7-consumer\.1\.2\.2\.\d{19}\.1$/,
    );
  });

  it('stays fast with a hundred thousand tasks', () => {
    const { queue } = newQueue(100_000, { ...LIMITS, maxOutstanding: 1000 });
    let taken = 0;
    for (let batch = queue.reserve(100); batch.length > 0; batch = queue.reserve(100)) {
      taken += batch.length;
      for (const delivery of batch) queue.acknowledge(sequence(delivery));
    }
    expect(taken).toBe(100_000);
  });
});
