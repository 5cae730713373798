import {
  AntennaApiError,
  AntennaConfigError,
  AntennaError,
  AntennaTimeoutError,
  NotFoundError,
  RateLimitError,
} from 'antenna-sdk';
import { describe, expect, it, vi } from 'vitest';
import { apiError } from '../../src/errors/api.js';

const options = {
  method: 'GET',
  path: '/jobs/1/',
  requestId: 'r',
  attempts: 1,
  body: undefined,
  fieldErrors: {},
  detail: 'Not found.',
};

describe('errors', () => {
  it('form one tree, with literal names and stable codes', () => {
    const error = apiError({ ...options, status: 404 });
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toBeInstanceOf(AntennaApiError);
    expect(error).toBeInstanceOf(AntennaError);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(RateLimitError);
    expect([error.name, error.code, error.message]).toEqual([
      'NotFoundError',
      'not_found',
      'GET /jobs/1/ → 404: Not found.',
    ]);
  });

  it.each([
    [400, 'BadRequestError'],
    [401, 'AuthenticationError'],
    [403, 'PermissionDeniedError'],
    [413, 'PayloadTooLargeError'],
    [429, 'RateLimitError'],
    [500, 'ServerError'],
    [503, 'ServerError'],
    [418, 'AntennaApiError'],
  ])('gives status %i the class %s', (status, name) => {
    expect(apiError({ ...options, status }).name).toBe(name);
  });

  it('are recognised across two copies of the package', async () => {
    vi.resetModules();
    const copy = await import('../../src/errors/index.js');
    expect(copy.NotFoundError).not.toBe(NotFoundError);
    const foreign = new copy.NotFoundError({ ...options, status: 404 });
    expect(foreign).toBeInstanceOf(NotFoundError);
    expect(foreign).toBeInstanceOf(AntennaError);
    expect(foreign).not.toBeInstanceOf(AntennaConfigError);
  });

  it('leave a user’s own subclass its ordinary meaning', () => {
    class MyError extends AntennaError {}
    const mine = new MyError({ code: 'mine', message: 'm' });
    expect(mine).toBeInstanceOf(MyError);
    expect(mine).toBeInstanceOf(AntennaError);
    expect(new AntennaError({ code: 'x', message: 'y' })).not.toBeInstanceOf(MyError);
    for (const other of [undefined, null, 1, 'AntennaError', {}, new Error('x')])
      expect(other).not.toBeInstanceOf(AntennaError);
  });

  it('name every wrong option in one message', () => {
    const error = new AntennaConfigError('Invalid options', [
      { path: 'a', message: 'is missing' },
      { path: 'b.0', message: 'is wrong' },
    ]);
    expect(error.message).toBe('Invalid options: a: is missing; b.0: is wrong');
  });

  it('say of a timeout what was being waited for, and whether anything can have arrived', () => {
    const phases = (['token', 'gate', 'connect', 'headers', 'body'] as const).map(
      (phase) => new AntennaTimeoutError({ phase, timeoutMs: 5 }).delivered,
    );
    expect(phases).toEqual(['no', 'no', 'no', 'unknown', 'unknown']);
  });
});
