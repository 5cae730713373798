import { AntennaConfigError } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { CACHE_TTL_MS, CACHED_OPERATIONS } from '../../src/cache/rules.js';
import { failure, TOKEN, turns } from '../support/calls.js';
import { cachingClient, countingServer } from './support.js';

describe('how long answers are kept', () => {
  it('is five minutes for what is asked for by id, one for lists and services', () => {
    expect(CACHE_TTL_MS).toMatchObject({
      'auth.me': 300_000,
      'projects.get': 300_000,
      'pipelines.get': 300_000,
    });
    for (const name of CACHED_OPERATIONS.filter((id) => /list|Services/.test(id)))
      expect(CACHE_TTL_MS[name], name).toBe(60_000);
  });

  it('can be set for one operation, for all, and to nothing', async () => {
    const one = cachingClient({ cache: { ttlMs: { 'projects.get': 10, 'projects.list': 0 } } });
    await one.client.projects.get(1);
    one.clock.advance(9);
    await one.client.projects.get(1);
    expect(one.seen).toHaveLength(1);
    one.clock.advance(1);
    await one.client.projects.get(1);
    expect(one.seen).toHaveLength(2);
    for (const cache of [{ ttlMs: 0 }, false, { ttlMs: { 'projects.get': 0 } }] as const) {
      const { client, seen } = cachingClient({ cache });
      const mine = await client.projects.get(1);
      await client.projects.get(1);
      expect([seen.length, client.cache.stats().misses]).toEqual([2, 0]);
      // What is not kept belongs to its caller.
      expect(Object.isFrozen(mine)).toBe(false);
    }
  });

  it.each([
    [{ ttlMs: -1 }],
    [{ ttlMs: { 'projects.get': 'soon' } }],
    [{ ttlMs: { 'jobs.get': 5 } }],
    [{ maxEntries: 0 }],
    [true],
  ])('is not what %j says', (cache) => {
    expect(() => cachingClient({ cache: cache as never })).toThrow(AntennaConfigError);
  });

  it('is nothing for jobs, tasks, results, keys and the liveness of a service', async () => {
    const { client, seen } = cachingClient({ token: TOKEN });
    const calls = [
      () => client.jobs.list(),
      () => client.jobs.get(1),
      () => client.tasks.reserve(1, { batchSize: 1 }),
      () => client.processingServices.status(1),
      () => client.processingServices.generateKey(1, 1),
      () => client.results.submit(1, []),
    ];
    for (const call of calls)
      for (let turn = 0; turn < 2; turn++) await call().then(undefined, () => undefined);
    expect(seen).toHaveLength(2 * calls.length);
    expect(client.cache.stats()).toMatchObject({ hits: 0, misses: 0, stored: 0 });
  });

  it('does not include failures', async () => {
    const { client, seen } = cachingClient({}, countingServer({ slow: true }));
    const failing = client.projects.get(1);
    await turns();
    seen[0]?.answer(500);
    await failure(failing);
    const second = client.projects.get(1);
    await turns();
    seen[1]?.answer();
    expect((await second).id).toBe(2);
  });
});

describe('nocache', () => {
  it('asks the server, and others profit from its answer', async () => {
    const { client, seen } = cachingClient();
    await client.projects.get(1);
    expect((await client.projects.get(1, { nocache: true })).id).toBe(2);
    expect((await client.projects.get(1)).id).toBe(2);
    expect(seen).toHaveLength(2);
  });

  it('does not wait for a request that was sent before it', async () => {
    const { client, seen } = cachingClient({}, countingServer({ slow: true }));
    const older = client.projects.get(1);
    const fresh = client.projects.get(1, { nocache: true });
    await turns();
    expect(seen).toHaveLength(2);
    seen[1]?.answer();
    expect((await fresh).id).toBe(2);
    seen[0]?.answer();
    await older;
  });

  it('must be true or false', async () => {
    const { client } = cachingClient();
    const error = await failure(client.projects.get(1, { nocache: 'yes' as never }));
    expect(error.message).toContain('nocache');
  });
});

describe('callers that share a request', () => {
  it('leave alone: the first one’s abort is not the others’', async () => {
    const { client, seen } = cachingClient({}, countingServer({ slow: true }));
    const controller = new AbortController();
    const first = client.projects.get(1, { signal: controller.signal });
    const second = client.projects.get(1);
    await turns();
    controller.abort(new Error('enough'));
    expect(await failure(first)).toMatchObject({ name: 'AntennaAbortError', cause: { message: 'enough' } });
    seen[0]?.answer();
    expect((await second).id).toBe(1);
    expect(seen).toHaveLength(1);
  });

  it('wait no longer than they want to', async () => {
    const { client, clock, seen } = cachingClient({}, countingServer({ slow: true }));
    const patient = client.projects.get(1);
    await turns();
    const hasty = client.projects.get(1, { timeoutMs: 50 });
    const ended = failure(hasty);
    await turns();
    clock.advance(50);
    expect(await ended).toMatchObject({ name: 'AntennaTimeoutError', timeoutMs: 50 });
    seen[0]?.answer();
    await patient;
    expect(clock.pending).toBe(0);
  });

  it('are told when it fails, each of them, and a caller that is gone leaves no unhandled rejection', async () => {
    const { client, seen } = cachingClient({}, countingServer({ slow: true }));
    const controller = new AbortController();
    const gone = failure(client.projects.get(1, { signal: controller.signal }));
    await turns();
    controller.abort();
    await gone;
    const waiting = [1, 2].map(() => failure(client.projects.get(1)));
    await turns();
    seen[0]?.answer(500);
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ status: 500 });
    await turns();
  });

  it('do not share one with a caller that has limits or headers of its own', async () => {
    const { client, seen } = cachingClient({}, countingServer({ slow: true }));
    const calls = [
      client.projects.get(1, { timeoutMs: 1_000 }),
      client.projects.get(1),
      client.projects.get(1, { headers: { 'x-tenant': 'b' } }),
    ];
    await turns();
    expect(seen).toHaveLength(3);
    for (const { answer } of seen) answer();
    await Promise.all(calls);
    await client.projects.get(1, { retries: 3 });
    expect(client.cache.stats()).toMatchObject({ hits: 1, stored: 2 });
  });

  it('are refused by a closed client, whatever is kept', async () => {
    const { client } = cachingClient();
    await client.projects.get(1);
    await client.close();
    expect(await failure(client.projects.get(1))).toMatchObject({ code: 'aborted' });
  });
});
