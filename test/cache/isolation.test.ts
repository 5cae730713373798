import { AsyncLocalStorage } from 'node:async_hooks';
import { AntennaClient, silentLogger, type CredentialSource } from 'antenna-sdk';
import { Credential } from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import fc from 'fast-check';
import { setupServer } from 'msw/node';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { turns } from '../support/calls.js';
import { leaksOf } from '../support/leaks.js';
import { cachingClient, countingServer } from './support.js';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

// What is loaded with the first request takes real time, of which turns of the loop and the tests' own clock know nothing.
beforeAll(async () => {
  const { client } = cachingClient({ tokenProvider: () => 'token-of-nobody' });
  await client.projects.get(1);
  await client.close();
});

describe('two tenants of one client', () => {
  it('never see each other’s answers, in any interleaving of reads, changes, clears and time', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('read' as const),
          tenant: fc.nat(2),
          id: fc.nat(2),
          nocache: fc.boolean(),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('answer' as const),
          at: fc.nat(5),
          status: fc.constantFrom(200, 200, 200, 401, 500),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('wait' as const),
          ms: fc.constantFrom(1_000, 200_000, 400_000),
        }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, late) => {
        const tenants = new AsyncLocalStorage<string>();
        const provider = (): string | Promise<string> => {
          const token = `token-of-tenant-${tenants.getStore() ?? 'nobody'}`;
          return late ? new Promise((resolve) => setImmediate(resolve, token)) : token;
        };
        const { client, clock, seen } = cachingClient(
          { tokenProvider: provider, cache: { maxEntries: 4 } },
          countingServer({ slow: true }),
        );
        const reads: Promise<void>[] = [];
        const answered = new Set<unknown>();
        /** Requests that were sent before a clear may not answer a read that began after it. */
        let clearedAt = 0;
        for (const action of steps) {
          if (action.kind === 'clear') {
            client.cache.clear();
            clearedAt = seen.length;
          }
          if (action.kind === 'wait' && seen.every((request) => answered.has(request)))
            clock.advance(action.ms);
          if (action.kind === 'answer') {
            const open = seen.filter((request) => !answered.has(request));
            const request = open[action.at % Math.max(1, open.length)];
            if (request) answered.add(request);
            request?.answer(action.status);
            await turns(3);
          }
          if (action.kind === 'read') {
            const tenant = String(action.tenant);
            const notBefore = clearedAt;
            const read = tenants.run(tenant, () =>
              client.projects.get(action.id + 1, { nocache: action.nocache }),
            );
            reads.push(
              read.then(
                ({ id, name }) => {
                  expect(name).toBe(tenant);
                  expect(id).toBeGreaterThan(notBefore);
                  expect(seen[id - 1]?.path).toBe(`/api/v2/projects/${action.id + 1}/?with_charts=false`);
                },
                (error: unknown) => {
                  expect(error).toHaveProperty('status');
                },
              ),
            );
            await turns(3);
          }
        }
        // A refused request is repeated by nobody here, so every round answers what is left.
        for (
          let open = seen.filter((r) => !answered.has(r));
          open.length > 0;
          open = seen.filter((r) => !answered.has(r))
        ) {
          for (const request of open) {
            answered.add(request);
            request.answer();
          }
          await turns(3);
        }
        await Promise.all(reads);
        for (const { authorization, path } of seen)
          expect(authorization, path).toMatch(/^Bearer token-of-tenant-\d$/);
      }),
      { numRuns: 150 },
    );
  });

  it('get what was asked for with the very token by which it is kept, from a provider that is asked once', async () => {
    let asked = 0;
    const { client, seen } = cachingClient({
      tokenProvider: () => `token-of-${'ab'.charAt(asked++ % 2)}`,
    });
    const names: string[] = [];
    for (let turn = 0; turn < 6; turn++) names.push((await client.projects.get(1)).name);
    expect(names.join('')).toBe('ababab');
    expect([asked, seen.length]).toEqual([6, 2]);
  });

  it('have a draft project shown to its member alone, by a real server', async () => {
    const server = createContractServer({ dialect: 'token' });
    cleanups.push(() => server.close());
    const owner = server.user({ email: 'owner@h.example' });
    const stranger = server.user({ email: 'stranger@h.example' });
    const draft = server.project({ name: 'Secret meadow', draft: true, owner });
    const { url } = await server.listen();
    const msw = setupServer(...server.handlers);
    msw.listen({ onUnhandledRequest: 'bypass' });
    cleanups.push(() => {
      msw.close();
    });
    const tenants = new AsyncLocalStorage<string>();
    const credentials: CredentialSource = {
      get: () => Credential.token(tenants.getStore() ?? ''),
    };
    for (const options of [
      { baseUrl: url },
      { baseUrl: server.baseUrl, fetch: (input: string, init: object) => fetch(input, init) },
    ]) {
      const client = new AntennaClient({ ...options, credentials, dialect: 'token', logger: silentLogger });
      cleanups.push(() => client.close());
      const read = (token: string): Promise<string> =>
        tenants.run(token, async () => (await client.projects.get(draft.id)).name);
      expect(await read(owner.token)).toBe('Secret meadow');
      expect(await read(owner.token)).toBe('Secret meadow');
      await expect(read(stranger.token)).rejects.toMatchObject({ status: 404 });
      expect(client.cache.stats()).toMatchObject({ hits: 1, entries: 1 });
    }
  });
});

describe('secrets', () => {
  it('are in nothing that can be seen of the cache', async () => {
    const token = 'zq81-a-token-that-nobody-may-see-77';
    const { client } = cachingClient({ tokenProvider: () => token });
    await client.projects.get(1);
    const print = Credential.fingerprint(Credential.bearer(token));
    for (const view of [client, client.cache, client.cache.stats()])
      expect(leaksOf(view, [token, print])).toEqual([]);
    expect(String(client.cache.stats().entries)).toBe('1');
  });
});
