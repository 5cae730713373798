import fc from 'fast-check';
import { PermanentTaskError, RetryableTaskError } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { batchSize, updateMean } from '../../src/worker/batch-size.js';
import { deliveryNumber } from '../../src/worker/delivery.js';
import { halve, pack } from '../../src/worker/packing.js';
import { StateMachine } from '../../src/worker/state.js';
import { errorText, judge } from '../../src/worker/verdict.js';

describe('deliveryNumber', () => {
  it.each([
    ['$JS.ACK.job_11.job-11-consumer.1.1.1.1795229915953121494.11', 1],
    ['$JS.ACK.job_11.job-11-consumer.2.1.5.1795229915953121494.0', 2],
    ['$JS.ACK.hub.acct.job_11.job-11-consumer.3.1.5.1795229915953121494.0.tok', 3],
    ['', undefined],
    ['opaque', undefined],
    ['$JS.ACK.job_11.job-11-consumer.x.1.1.1.1', undefined],
    ['$JS.ACK.job_11.job-11-consumer.0.1.1.1.1', undefined],
    ['$JS.NAK.job_11.job-11-consumer.1.1.1.1.1', undefined],
  ])('reads %s as %s', (subject, expected) => {
    expect(deliveryNumber(subject)).toBe(expected);
  });

  it('never throws and never answers less than 1', () => {
    fc.assert(fc.property(fc.string(), (text) => (deliveryNumber(text) ?? 1) >= 1));
  });
});

describe('batchSize', () => {
  const options = fc.record({
    maxBatchSize: fc.integer({ min: 1, max: 500 }),
    concurrency: fc.integer({ min: 1, max: 64 }),
    leaseMs: fc.integer({ min: 1_000, max: 600_000 }),
    meanTaskMs: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
  });

  it('is at least one, and never more than asked for', () => {
    fc.assert(fc.property(options, (o) => batchSize(o) >= 1 && batchSize(o) <= o.maxBatchSize));
  });

  it('never takes more than fits half the lease, unless a single task already does not', () => {
    fc.assert(
      fc.property(options, (o) => {
        const size = batchSize(o);
        return size === 1 || (size * o.meanTaskMs) / o.concurrency <= o.leaseMs / 2 + 1e-6;
      }),
    );
  });

  it('takes one round of the executors to learn the speed', () => {
    expect(batchSize({ maxBatchSize: 16, concurrency: 4, leaseMs: 30_000, meanTaskMs: undefined })).toBe(4);
  });

  it('lets a slower model show at once and a faster one slowly', () => {
    expect(updateMean(100, 300)).toBe(200);
    expect(updateMean(300, 100)).toBe(280);
    expect(updateMean(undefined, 50)).toBe(50);
  });
});

describe('judge', () => {
  it('posts an error for a permanent cause, whatever the delivery', () => {
    expect(judge(new PermanentTaskError('no'), 1, 2)).toBe('post-error');
    expect(judge(new Error('handler'), undefined, 2)).toBe('post-error');
  });

  it('lets a passing fault lapse while another delivery is left, because an error result is final (T26)', () => {
    expect(judge(new RetryableTaskError('later'), 1, 2)).toBe('let-lapse');
    expect(judge(new RetryableTaskError('later'), undefined, 2)).toBe('let-lapse');
    expect(judge(new RetryableTaskError('later'), 2, 2)).toBe('post-error');
  });

  it('never posts a stack, and never an endless text', () => {
    const error = new Error('x'.repeat(5_000));
    expect(errorText(error).length).toBe(500);
    expect(errorText(error)).not.toContain('.ts:');
  });
});

describe('pack', () => {
  const items = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 });

  it('keeps every result, in order, within bytes and count unless one alone is larger', () => {
    fc.assert(
      fc.property(items, (sizes) => {
        const all = sizes.map((length) => ({ encoded: { bytes: { length } } }));
        const posts = pack(all, 15, 4);
        expect(posts.flat()).toEqual(all);
        for (const post of posts) {
          const bytes = post.reduce((sum, item) => sum + item.encoded.bytes.length, 0);
          expect(post.length).toBeLessThanOrEqual(4);
          expect(bytes <= 15 || post.length === 1).toBe(true);
        }
      }),
    );
  });

  it('halves without losing any', () => {
    expect(halve([1, 2, 3])).toEqual([[1, 2], [3]]);
  });
});

describe('StateMachine', () => {
  it('refuses a move that is not in the table', () => {
    const seen: string[] = [];
    const machine = new StateMachine((from, to) => seen.push(`${from}>${to}`));
    machine.to('starting');
    machine.to('running');
    expect(() => {
      machine.to('starting');
    }).toThrow('A worker that is running cannot become starting');
    machine.to('draining');
    machine.to('idle');
    expect(seen).toEqual(['idle>starting', 'starting>running', 'running>draining', 'draining>idle']);
  });
});
