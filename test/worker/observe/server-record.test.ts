import { AntennaConnectionError, AntennaContractError } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { apiError } from '../../../src/errors/api.js';
import { ServerRecord } from '../../../src/worker/observe/server-record.js';

const context = { method: 'GET', path: '/jobs/', requestId: 'r', attempts: 1 };
const nonsense = new AntennaContractError({
  ...context,
  violation: 'not_json',
  status: 200,
  reason: 'the answer is text/html, not JSON',
});
const refusal = (status: number): Error =>
  apiError({
    ...context,
    status,
    detail: 'refused',
    fieldErrors: {},
    hint: undefined,
    body: { detail: 'refused' },
    retryAfterMs: undefined,
  });
const outage = new AntennaConnectionError({
  ...context,
  delivered: 'no',
  reason: 'refused',
  causeCode: 'ECONNREFUSED',
});
const details = (trouble: ServerRecord, nowMs = 5_000): string[] =>
  trouble.current(nowMs).map(({ detail }) => detail);

describe('the record of trouble with the server', () => {
  it.each([
    ['an answer that is no contract', nonsense],
    ['a 401', refusal(401)],
    ['a 403 for the list', refusal(403)],
  ])('names %s from the second time on, with the reason and since when', (_, error) => {
    const trouble = new ServerRecord();
    trouble.failed('listing', undefined, error, 1_000);
    expect(trouble.current(1_500)).toEqual([]);
    trouble.failed('listing', undefined, error, 2_000);
    expect(trouble.current(5_000)).toEqual([
      { detail: `listing failed 2 times in a row, for 4.0 s: ${error.message}`, partial: false },
    ]);
    trouble.well('listing', undefined, 6_000);
    expect(trouble.current(7_000)).toEqual([]);
  });

  it('takes an outage for none: it passes, and the contact check has it', () => {
    const trouble = new ServerRecord();
    for (let time = 0; time < 9; time++) trouble.failed('listing', undefined, outage, time);
    trouble.failed('listing', undefined, refusal(503), 9);
    expect(trouble.current(10)).toEqual([]);
    expect(trouble.lastFailure).toContain('listing: ');
    trouble.well('listing', undefined, 10);
    expect(trouble.lastFailure).toBeUndefined();
  });

  it('calls it partial when the same goes well for others', () => {
    const trouble = new ServerRecord();
    trouble.failed('reserving', 7, nonsense, 0);
    trouble.well('reserving', 8, 1);
    expect(trouble.current(2)).toEqual([]);
    trouble.failed('reserving', 7, nonsense, 3);
    expect(trouble.current(4)).toMatchObject([{ partial: true }]);
    expect(details(trouble)[0]).toContain('reserving (job 7) failed 2 times in a row');
  });

  it('takes one failure of each of two jobs for the same fault', () => {
    const trouble = new ServerRecord();
    trouble.failed('reserving', 7, refusal(401), 0);
    trouble.failed('reserving', 8, refusal(401), 1);
    expect(trouble.current(2)).toMatchObject([{ partial: false }, { partial: false }]);
  });

  it('takes a job that is not ours for none, and a credential that every open job refuses for one (T15)', () => {
    const trouble = new ServerRecord();
    trouble.listed(new Set([1, 2]));
    trouble.failed('reserving', 1, refusal(403), 0);
    expect(trouble.current(1)).toEqual([]);
    trouble.failed('reserving', 2, refusal(403), 2);
    expect(details(trouble, 3)).toEqual([
      expect.stringContaining('all 2 open jobs refuse this credential, for 0.0 s') as string,
    ]);
    trouble.listed(new Set([1, 2, 3]));
    expect(trouble.current(4)).toEqual([]);
  });

  it('knows a good credential that meets only the jobs of others, and one that has lost a job of its own', () => {
    const trouble = new ServerRecord();
    trouble.listed(new Set([1]));
    trouble.well('reserving', 1, 0);
    trouble.listed(new Set([2]));
    trouble.failed('reserving', 2, refusal(403), 1);
    expect(trouble.current(2)).toEqual([]);
    trouble.listed(new Set([3]));
    trouble.well('reserving', 3, 3);
    trouble.failed('reserving', 3, refusal(403), 4);
    expect(details(trouble)).toEqual([expect.stringContaining('the only open job refuses') as string]);
  });

  it('says nothing of the words of errors that are not ours: they may be anything', () => {
    const trouble = new ServerRecord();
    trouble.failed('listing', undefined, new Error('hush'), 0);
    expect(trouble.lastFailure).not.toContain('hush');
  });

  it('stays small, however many jobs fail, and forgets those that are over', () => {
    const trouble = new ServerRecord();
    for (let job = 0; job < 1_000; job++) trouble.failed('reserving', job, nonsense, job);
    expect(trouble.current(1_000).length).toBeLessThanOrEqual(100);
    trouble.listed(new Set());
    expect(trouble.current(1_000)).toEqual([]);
  });
});
