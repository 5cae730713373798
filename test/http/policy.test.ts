import fc from 'fast-check';
import { createTestClock } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { readErrorBody } from '../../src/http/error-body.js';
import { MAX_GATE_MS, OriginGate } from '../../src/http/gate.js';
import { parseRetryAfter } from '../../src/http/retry-after.js';
import { RetryBudget } from '../../src/http/retry-budget.js';
import {
  BACKOFF_CAP_MS,
  backoffMs,
  decideRetry,
  mayReplay,
  type RetryState,
} from '../../src/http/retry-policy.js';
import { buildQuery, fillPath, isLoopback, parseBaseUrl, readNextLink } from '../../src/http/url.js';

describe('url', () => {
  it.each([
    ['https://antenna.example', 'https://antenna.example/api/v2'],
    ['https://antenna.example/', 'https://antenna.example/api/v2'],
    ['https://antenna.example/api/v2', 'https://antenna.example/api/v2'],
    ['https://antenna.example/api/v2/', 'https://antenna.example/api/v2'],
    ['http://localhost:8000/mount/', 'http://localhost:8000/mount/api/v2'],
  ])('takes %s for %s', (text, expected) => {
    const result = parseBaseUrl(text);
    expect(result.ok && result.url.href).toBe(expected);
  });

  it.each(['', 'antenna.example', 'ftp://h', 'https://user:pa55word@h', 'https://h/?q=1', 'https://h/#f'])(
    'refuses %j without quoting it',
    (text) => {
      const result = parseBaseUrl(text);
      expect(result.ok).toBe(false);
      expect(JSON.stringify(result)).not.toContain('pa55word');
    },
  );

  it('fills paths without letting a value change them', () => {
    expect(fillPath('/jobs/{id}/', { id: 7 })).toBe('/jobs/7/');
    expect(fillPath('/jobs/{id}/', { id: 'a/b?c' })).toBe('/jobs/a%2Fb%3Fc/');
    for (const id of [undefined, '', '.', '..', Number.NaN, 1.5]) {
      expect(() => fillPath('/jobs/{id}/', id === undefined ? {} : { id })).toThrow('id: must be an id');
    }
  });

  it('leaves out what is undefined, and never writes a word for a boolean: the server reads "no" as true (T18)', () => {
    expect(buildQuery({ a: undefined, b: null, c: true, d: false, e: 'x,y' })).toBe('?c=1&d=0&e=x%2Cy');
    expect(buildQuery({})).toBe('');
  });

  it('uses only the query of a next link, whatever host it names', () => {
    const base = new URL('https://antenna.example/api/v2');
    expect(readNextLink('http://10.0.0.7:8000/api/v2/jobs/?limit=1&offset=1', base)).toEqual({
      query: { limit: '1', offset: '1' },
      foreignOrigin: true,
    });
  });

  it('knows this machine', () => {
    const loopback = (text: string) => isLoopback(new URL(text));
    expect(
      ['http://localhost', 'http://127.0.0.1:1', 'http://127.9.9.9', 'http://[::1]'].every(loopback),
    ).toBe(true);
    expect(
      ['http://10.0.0.1', 'http://127.0.0.1.evil.example', 'http://localhost.evil.example'].some(loopback),
    ).toBe(false);
  });
});

describe('parseRetryAfter', () => {
  const now = Date.UTC(1994, 10, 6, 8, 49, 30);
  it.each([
    ['0', 0],
    ['120', 120_000],
    ['1.5', 1_500],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 7_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 7_000],
    ['Sun Nov  6 08:49:37 1994', 7_000],
    ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['', undefined],
    [undefined, undefined],
    ['1994-11-06', undefined],
  ])('reads %j as %j ms', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});

describe('decideRetry', () => {
  const state: RetryState = {
    replay: 'always',
    retriesDone: 0,
    retries: 3,
    remainingMs: 60_000,
    random: 0.5,
  };

  it('never waits longer than the cap, and spreads over the whole range', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.double({ min: 0, max: 0.999, noNaN: true }), (done, random) => {
        const delay = backoffMs(done, random);
        return delay >= 0 && delay <= BACKOFF_CAP_MS;
      }),
    );
    expect(backoffMs(2, 0)).toBe(0);
    expect(backoffMs(2, 0.5)).toBe(1_000);
  });

  it('retries the statuses that may pass, and no other', () => {
    for (const status of [408, 425, 429, 500, 502, 503, 504]) {
      expect(decideRetry({ status, delivered: 'unknown' }, state).retry).toBe(true);
    }
    for (const status of [400, 401, 403, 404, 405, 409, 413, 415, 422, 501]) {
      expect(decideRetry({ status, delivered: 'unknown' }, state)).toEqual({ retry: false, why: 'final' });
    }
  });

  it('waits as long as asked, never less than its own backoff, and not at all above 60 s', () => {
    const after = (retryAfterMs: number) =>
      decideRetry({ status: 429, delivered: 'unknown', retryAfterMs }, state);
    expect(after(10_000)).toEqual({ retry: true, delayMs: 10_000 });
    expect(after(0)).toEqual({ retry: true, delayMs: 250 });
    expect(after(120_000)).toEqual({ retry: false, why: 'retry-after' });
  });

  it('starts no attempt that cannot begin before the deadline, and no more than allowed', () => {
    expect(decideRetry({ delivered: 'no' }, { ...state, remainingMs: 200 })).toEqual({
      retry: false,
      why: 'deadline',
    });
    expect(decideRetry({ delivered: 'no' }, { ...state, retriesDone: 3 })).toEqual({
      retry: false,
      why: 'exhausted',
    });
  });

  it('sends a reservation again only when it certainly did not arrive or was refused', () => {
    const replay = 'if-not-delivered';
    expect(mayReplay(replay, { delivered: 'no' })).toBe(true);
    expect(mayReplay(replay, { delivered: 'unknown' })).toBe(false);
    expect(mayReplay(replay, { status: 503, delivered: 'unknown' })).toBe(true);
    expect(mayReplay(replay, { status: 502, delivered: 'unknown' })).toBe(false);
    expect(mayReplay('never', { delivered: 'no' })).toBe(false);
    expect(mayReplay('always', { delivered: 'unknown' })).toBe(true);
  });
});

describe('RetryBudget', () => {
  it('lets at most a tenth of the requests and ten more be retries, over any sequence', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 500 }), (steps) => {
        const budget = new RetryBudget();
        let requests = 0;
        let retries = 0;
        for (const isRequest of steps) {
          if (isRequest) {
            budget.onRequest();
            requests += 1;
          } else if (budget.take()) retries += 1;
        }
        return retries <= 10 + 0.1 * requests + 1e-6;
      }),
    );
  });
});

describe('OriginGate', () => {
  it('opens for everybody when the time is over, and a shorter closure does not shorten it', async () => {
    const clock = createTestClock();
    const gate = new OriginGate(clock);
    gate.close(1_000);
    gate.close(10);
    const passed: string[] = [];
    const signal = new AbortController().signal;
    void gate.pass(signal).then(() => passed.push('first'));
    void gate.pass(signal).then(() => passed.push('second'));
    await clock.advance(999);
    expect(passed).toEqual([]);
    await clock.advance(1);
    expect(passed).toEqual(['first', 'second']);
    expect(gate.closedForMs()).toBe(0);
  });

  it('does not believe a date years ahead', () => {
    const gate = new OriginGate(createTestClock());
    gate.close(1e12);
    expect(gate.closedForMs()).toBe(MAX_GATE_MS);
  });
});

describe('readErrorBody', () => {
  it.each([
    [
      'field errors',
      { batch_size: ['This field is required.'] },
      'batch_size: This field is required.',
      { batch_size: ['This field is required.'] },
    ],
    [
      'schema errors with a location',
      {
        results: [
          {
            loc: ['__root__', '0', 'result', 'total_time'],
            msg: 'field required',
            type: 'value_error.missing',
          },
        ],
      },
      'results.0.result.total_time: field required',
      { 'results.0.result.total_time': ['field required'] },
    ],
    [
      'a bare array',
      ['Only async_api jobs have fetchable tasks'],
      'Only async_api jobs have fetchable tasks',
      { non_field_errors: ['Only async_api jobs have fetchable tasks'] },
    ],
    ['detail', { detail: 'Not found.' }, 'Not found.', {}],
    ['error', { error: 'Task queue temporarily unavailable' }, 'Task queue temporarily unavailable', {}],
    [
      'an error of the broker',
      { status: 'error', job_id: 22, detail: 'Task queue temporarily unavailable' },
      'Task queue temporarily unavailable',
      {},
    ],
  ])('reads %s', (_, body, detail, fieldErrors) => {
    expect(readErrorBody(400, body)).toEqual({ detail, fieldErrors });
  });

  it('has words for an HTML page, and cuts endless ones', () => {
    expect(readErrorBody(500, undefined).detail).toContain('gave no reason');
    expect(readErrorBody(400, { detail: 'x'.repeat(10_000) }).detail.length).toBeLessThan(400);
    fc.assert(fc.property(fc.jsonValue(), (body) => typeof readErrorBody(400, body).detail === 'string'));
  });
});
