import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../../src/worker/observe/latency.js';
import { WorkerMetrics } from '../../../src/worker/observe/metrics.js';
import { recordEvents, type RecordedEvents } from '../../../src/worker/observe/record-events.js';
import { gaugesOf, Teller } from './support.js';

const source = { gauges: () => gaugesOf() };

describe('latency percentiles', () => {
  it('are those of the sorted samples, within 1 %, whatever the order they came in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 600_000 }), { minLength: 1, maxLength: 300 }),
        (samples) => {
          const histogram = new LatencyHistogram();
          for (const ms of samples) histogram.record(ms);
          const sorted = [...samples].sort((a, b) => a - b);
          const exact = (share: number): number =>
            sorted[Math.max(1, Math.round(share * sorted.length)) - 1] ?? 0;
          const { count, p50Ms, p95Ms, p99Ms, maxMs, meanMs } = histogram.summary();
          expect(count).toBe(samples.length);
          for (const [got, want] of [
            [p50Ms, exact(0.5)],
            [p95Ms, exact(0.95)],
            [p99Ms, exact(0.99)],
          ] as const)
            expect(Math.abs(got - want)).toBeLessThanOrEqual(want * 0.01);
          expect(maxMs).toBe(sorted.at(-1));
          expect(meanMs).toBeCloseTo(samples.reduce((sum, ms) => sum + ms, 0) / samples.length, 6);
        },
      ),
    );
  });

  it('are 0 before the first sample, and no strange number breaks them', () => {
    const histogram = new LatencyHistogram();
    expect(histogram.summary()).toMatchObject({ count: 0, p99Ms: 0, maxMs: 0 });
    for (const ms of [Number.NaN, Number.POSITIVE_INFINITY, -5, 0, 0.0001, 1e12]) histogram.record(ms);
    expect(histogram.summary().count).toBe(4);
  });
});

describe('metrics', () => {
  it('are a copy: a snapshot does not change any more', () => {
    const metrics = new WorkerMetrics();
    const before = metrics.snapshot(source);
    metrics.count('posted', 3);
    metrics.observe('post', 10);
    expect(before.counters.posted).toBe(0);
    expect(before.stages.post.count).toBe(0);
    expect(metrics.snapshot(source).counters.posted).toBe(3);
  });

  it('call a task late whose lease was over when its result was accepted', () => {
    const metrics = new WorkerMetrics();
    metrics.count('posted', 4);
    for (const remainingMs of [9_000, 5_000, 200, -3_000]) metrics.slack('post', remainingMs);
    metrics.slack('start', -1);
    const { lateRatio, lateness, leaseSlack } = metrics.snapshot(source);
    expect(lateRatio).toBe(0.25);
    expect(lateness).toMatchObject({ count: 1, maxMs: 3_000 });
    expect(leaseSlack.post.count).toBe(4);
    expect(leaseSlack.start).toMatchObject({ count: 1, maxMs: 0 });
  });

  it('count deliveries by their number, with few labels whatever the server sends', () => {
    const metrics = new WorkerMetrics();
    for (const attempt of [1, 1, 2, undefined, 10, 9_999]) metrics.delivery(attempt);
    expect(metrics.snapshot(source).deliveries).toEqual({ '1': 2, '2': 1, unknown: 1, '10+': 2 });
  });

  it('follow a worker’s events until told to stop', () => {
    const worker = new Teller<RecordedEvents>();
    const metrics = new WorkerMetrics();
    const stop = recordEvents(worker, metrics);
    worker.tell('reserved', { count: 3, durationMs: 40 });
    worker.tell('downloaded', { bytes: 1_000, durationMs: 7 });
    worker.tell('batch_done', { durationMs: 90 });
    worker.tell('batch_limit', { reason: 'failed' });
    worker.tell('batch_limit', { reason: 'grown' });
    worker.tell('task_started', { slackMs: 25_000 });
    worker.tell('task', { outcome: 'success', attempt: 1, encodeMs: 3 });
    worker.tell('task', { outcome: 'error', attempt: 2 });
    worker.tell('task', { outcome: 'lapsed' });
    worker.tell('posted', { count: 2, bytes: 500, durationMs: 12, slackMs: [20_000, -70] });
    worker.tell('settled', { fate: 'posted' });
    worker.tell('settled', { fate: 'dropped' });
    worker.tell('abandoned', { tasks: [{}, {}] });
    for (const name of [
      'empty',
      'redelivered',
      'lease_expired',
      'post_retry',
      'split',
      'stall',
      'left_out',
      'error',
    ] as const)
      worker.tell(name, {});
    const { counters, stages, deliveries, leaseSlack, lateness } = metrics.snapshot(source);
    expect(counters).toEqual({
      ...{ reserved: 3, emptyReplies: 1, redelivered: 1, expired: 1, late: 1, downloadedBytes: 1_000 },
      ...{ succeeded: 1, failed: 1, lapsed: 1, posted: 2, postedBytes: 500, postRetries: 1, splits: 1 },
      ...{
        dropped: 1,
        spooled: 0,
        abandoned: 2,
        replayed: 0,
        stalls: 1,
        errors: 1,
        batchCuts: 1,
        leftOut: 1,
      },
    });
    expect(deliveries).toEqual({ '1': 1, '2': 1, unknown: 1 });
    const longest = Object.entries(stages).map(([stage, { maxMs }]) => [stage, maxMs]);
    expect(Object.fromEntries(longest)).toEqual({
      reserve: 40,
      download: 7,
      process: 90,
      encode: 3,
      post: 12,
    });
    expect([leaseSlack.start.maxMs, leaseSlack.post.maxMs, lateness.maxMs]).toEqual([25_000, 20_000, 70]);
    stop();
    expect(worker.listeners).toBe(0);
  });
});
