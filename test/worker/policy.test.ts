import fc from 'fast-check';
import { OutOfMemoryTaskError, PermanentTaskError, RetryableTaskError } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { deliveryNumber } from '../../src/worker/policy/delivery.js';
import { StateMachine } from '../../src/worker/task/state.js';
import { errorText, isDecided, judge } from '../../src/worker/results/verdict.js';

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

  it('takes want of memory of a single image for a passing fault, worth one more try here', () => {
    const full = new OutOfMemoryTaskError('CUDA out of memory');
    expect(isDecided(full)).toBe(false);
    expect([judge(full, 1, 2), judge(full, 2, 2)]).toEqual(['let-lapse', 'post-error']);
    expect(full).toMatchObject({ code: 'task_out_of_memory', name: 'OutOfMemoryTaskError' });
    expect(isDecided(new RetryableTaskError('later'))).toBe(true);
  });

  it('never posts a stack, and never an endless text', () => {
    const error = new Error('x'.repeat(5_000));
    expect(errorText(error).length).toBe(500);
    expect(errorText(error)).not.toContain('.ts:');
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
    machine.to('stopped');
    machine.to('starting');
    expect(seen).toEqual([
      'idle>starting',
      'starting>running',
      'running>draining',
      'draining>stopped',
      'stopped>starting',
    ]);
  });
});
