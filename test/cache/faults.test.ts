import { Credential } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { cacheKey } from '../../src/cache/key.js';
import { turns } from '../support/calls.js';
import { cachingClient, countingServer } from './support.js';

const MINUTE_MS = 60_000;

/** The faults of the operation cache that was studied, one by one, and that this one has none of them. */
describe('faults of other caches', () => {
  it('1: entries are bounded in number, and what is too old goes although nobody reads it again', async () => {
    const { client, clock } = cachingClient({ cache: { maxEntries: 3 } });
    for (const id of [1, 2, 3, 4, 5]) await client.projects.get(id);
    expect(client.cache.stats()).toMatchObject({ entries: 3, stored: 5, evicted: 2 });
    clock.advance(5 * MINUTE_MS);
    await client.projects.get(6);
    expect(client.cache.stats()).toMatchObject({ entries: 1, evicted: 2 });
  });

  it('2: arguments count by their value, never by the identity of the objects that hold them', async () => {
    const { client, seen } = cachingClient();
    for (let turn = 0; turn < 50; turn++) await client.projects.list({ limit: 1 + (turn % 2) });
    expect(seen.map(({ path }) => path)).toEqual(['/api/v2/projects/?limit=1', '/api/v2/projects/?limit=2']);
  });

  it('3: the whole SHA-256 of the credential is in the key, header and scheme included', () => {
    const prints = [
      Credential.token('0123456789abcdef'),
      Credential.bearer('0123456789abcdef'),
      Credential.header('X-API-Key', '0123456789abcdef'),
      Credential.token('0123456789abcdee'),
    ].map((credential) => Credential.fingerprint(credential));
    expect(new Set(prints).size).toBe(4);
    for (const print of prints) expect(print).toMatch(/^[\da-f]{64}$/);
  });

  it('4: the server is in the key, and every client has entries of its own', async () => {
    const key = (baseUrl: string): string => cacheKey('f', baseUrl, 'projects.get', { params: { id: 1 } });
    expect(key('https://a.example/api/v2')).not.toBe(key('https://b.example/api/v2'));
    const server = countingServer();
    const [first, second] = [cachingClient({}, server), cachingClient({}, server)];
    await first.client.projects.get(1);
    await second.client.projects.get(1);
    expect(server.seen).toHaveLength(2);
  });

  it('5: clearing one operation leaves those whose names begin like it', async () => {
    const { client, seen } = cachingClient();
    const readAll = async (): Promise<void> => {
      await client.pipelines.list();
      await client.pipelines.listForProject(1);
      await client.projects.get(1);
      await client.projects.list();
    };
    await readAll();
    client.cache.clear('pipelines.list');
    await readAll();
    expect(seen.slice(4).map(({ path }) => path)).toEqual(['/api/v2/ml/pipelines/']);
    expect(() => {
      // @ts-expect-error a part of a name is no name
      client.cache.clear('pipelines');
    }).toThrow(/must be one of auth.me, projects.get/);
    expect(client.cache.stats()).toMatchObject({ entries: 4, invalidated: 1 });
  });

  it('6: the same arguments in another order or form are the same call', async () => {
    const { client, seen } = cachingClient();
    await client.projects.list({ limit: 5, offset: 10 });
    await client.projects.list({ offset: 10, limit: 5 });
    await client.projects.list({ offset: 10, limit: 5, ordering: undefined });
    await client.projects.get(7);
    await client.projects.get('7');
    expect(seen).toHaveLength(2);
    // What looks alike when it is joined is not alike.
    const query = (values: Record<string, string>): string =>
      cacheKey('f', 'u', 'projects.list', { query: values });
    expect(query({ a: '1,b=2' })).not.toBe(query({ a: '1', b: '2' }));
    expect(cacheKey('f', 'u', 'projects.get', { params: { id: 1 } })).not.toBe(
      cacheKey('f', 'u', 'projects.get', { query: { id: 1 } }),
    );
  });

  it('7: equal calls at the same time share one request', async () => {
    const { client, seen } = cachingClient({}, countingServer({ slow: true }));
    const calls = Array.from({ length: 50 }, () => client.projects.get(1));
    await turns();
    expect(seen).toHaveLength(1);
    seen[0]?.answer();
    const answers = await Promise.all(calls);
    expect(new Set(answers).size).toBe(1);
    expect(client.cache.stats()).toMatchObject({ misses: 1, joined: 49, hits: 0 });
  });

  it('8: a clear during a call is not undone by its answer, and whoever asks after it asks the server', async () => {
    const { client, seen } = cachingClient({}, countingServer({ slow: true }));
    const before = client.projects.get(1);
    await turns();
    client.cache.clear('projects.get');
    const after = client.projects.get(1);
    await turns();
    expect(seen).toHaveLength(2);
    // The older answer comes last.
    seen[1]?.answer();
    expect((await after).id).toBe(2);
    seen[0]?.answer();
    expect((await before).id).toBe(1);
    expect((await client.projects.get(1)).id).toBe(2);
  });

  it('9: a wall clock that is set makes nothing live longer or shorter', async () => {
    const { client, clock, seen } = cachingClient();
    await client.projects.get(1);
    for (const stepMs of [-7_200_000, 14_400_000, -7_200_000]) {
      clock.wallOffsetMs += stepMs;
      await client.projects.get(1);
    }
    expect(seen).toHaveLength(1);
    clock.wallOffsetMs -= 7_200_000;
    clock.advance(5 * MINUTE_MS - 1);
    await client.projects.get(1);
    expect(seen).toHaveLength(1);
    clock.advance(1);
    await client.projects.get(1);
    expect(seen).toHaveLength(2);
  });

  it('10: what one caller does to an answer, no other sees', async () => {
    const { client } = cachingClient();
    const first = await client.projects.get(1);
    expect(() => {
      first.name = 'mine';
    }).toThrow(TypeError);
    expect(() => {
      (first['tags'] as { deep: number[] }[])[0]?.deep.push(9);
    }).toThrow(TypeError);
    const page = await client.projects.list();
    expect(() => page.results.push({ id: 3, name: 'x' })).toThrow(TypeError);
    expect((await client.projects.get(1))['tags']).toEqual([{ deep: [1] }]);
  });

  it('11: a token that holds is not asked for again to read what is kept', async () => {
    let asked = 0;
    const { client, clock, seen } = cachingClient({
      tokenProvider: () => {
        asked += 1;
        return { token: `token-${asked}`, expiresAt: clock.wallNow() + 60 * MINUTE_MS };
      },
    });
    for (let turn = 0; turn < 20; turn++) await client.projects.get(1);
    expect([seen.length, asked]).toEqual([1, 1]);
  });
});
