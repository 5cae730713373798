import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import {
  AntennaClient,
  AuthenticationError,
  CredentialError,
  silentLogger,
  type AntennaClientOptions,
  type FetchLike,
} from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/token-source.js';

type Seen = { readonly authorization: string | undefined; readonly tenant: string | undefined };

/** A server that remembers which credential came with which tenant's request. */
function recorder(status: (seen: Seen) => number = () => 200) {
  const seen: Seen[] = [];
  const fetch: FetchLike = async (_url, { headers }) => {
    const one = { authorization: headers['authorization'], tenant: headers['x-tenant'] };
    seen.push(one);
    await Promise.resolve();
    return Response.json({ count: 0, next: null, previous: null, results: [] }, { status: status(one) });
  };
  return { seen, fetch };
}

const make = (options: AntennaClientOptions): AntennaClient =>
  new AntennaClient({
    cache: false,
    baseUrl: 'https://antenna.invalid',
    logger: silentLogger,
    retries: 0,
    ...options,
  });
const call = async (client: AntennaClient, options = {}): Promise<unknown> =>
  client.projects.list({}, options);
const expectNoMix = (seen: readonly Seen[]): void => {
  for (const { authorization, tenant } of seen)
    expect(authorization).toBe(`Bearer token-of-${tenant ?? '?'}`);
};

describe('two tenants in one process', () => {
  it('send 1,000 interleaved requests through one client, and none carries the other’s token', async () => {
    const tenant = new AsyncLocalStorage<string>();
    const { seen, fetch } = recorder();
    let calls = 0;
    const client = make({
      fetch,
      tokenProvider: () => {
        const token = `token-of-${tenant.getStore() ?? 'nobody'}`;
        calls += 1;
        // At once, a microtask later, a macrotask later.
        if (calls % 3 === 0) return token;
        return calls % 3 === 1 ? Promise.resolve(token) : new Promise((done) => setImmediate(done, token));
      },
    });
    await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => {
        const name = index % 2 === 0 ? 'a' : 'b';
        return tenant.run(name, () => call(client, { headers: { 'x-tenant': name } }));
      }),
    );
    expect(seen).toHaveLength(1_000);
    expectNoMix(seen);
    expect(calls).toBe(1_000);
  });

  it('never mix over any interleaving of two clients and their refreshes (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom('a', 'b'), { minLength: 2, maxLength: 12 }),
        fc.boolean(),
        async (scheduler, order, expiring) => {
          const { seen, fetch } = recorder();
          const clientOf = (name: string) =>
            make({
              fetch,
              tokenProvider: () => {
                const token = `token-of-${name}`;
                const answer = expiring ? { token, expiresAt: Date.now() + 60_000 } : token;
                return scheduler.schedule(Promise.resolve(answer));
              },
            });
          const clients = new Map(['a', 'b'].map((name) => [name, clientOf(name)]));
          const work = order.map(async (name) => {
            const client = clients.get(name);
            if (client) await call(client, { headers: { 'x-tenant': name } });
          });
          await scheduler.waitFor(Promise.all(work));
          expect(seen).toHaveLength(order.length);
          expectNoMix(seen);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('never mix over any interleaving of tenants in one client (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.boolean()), { minLength: 2, maxLength: 12 }),
        async (scheduler, order) => {
          const tenant = new AsyncLocalStorage<{ name: string; late: boolean }>();
          const { seen, fetch } = recorder();
          const client = make({
            fetch,
            tokenProvider: () => {
              const { name, late } = tenant.getStore() ?? { name: 'nobody', late: false };
              const token = `token-of-${name}`;
              return late ? scheduler.schedule(Promise.resolve(token)) : token;
            },
          });
          const work = order.map(([name, late]) =>
            tenant.run({ name, late }, async () => {
              await call(client, { headers: { 'x-tenant': name } });
            }),
          );
          await scheduler.waitFor(Promise.all(work));
          expect(seen).toHaveLength(order.length);
          expectNoMix(seen);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('AntennaClient with a token provider', () => {
  it('asks once for 50 requests at once, and for ten 401s at once', async () => {
    let valid = 'Bearer t1';
    const { seen, fetch } = recorder(({ authorization }) => (authorization === valid ? 200 : 401));
    const reasons: string[] = [];
    const client = make({
      fetch,
      tokenProvider: ({ reason }) => {
        reasons.push(reason);
        return { token: `t${reasons.length}`, expiresAt: Date.now() + 3_600_000 };
      },
    });
    await Promise.all(Array.from({ length: 50 }, () => call(client)));
    expect(reasons).toEqual(['initial']);
    valid = 'Bearer t2';
    await Promise.all(Array.from({ length: 10 }, () => call(client)));
    expect(reasons).toEqual(['initial', 'rejected']);
    expect(seen).toHaveLength(50 + 20);
  });

  it('repeats a request once after a 401, then gives up', async () => {
    const { seen, fetch } = recorder(() => 401);
    let count = 0;
    const client = make({
      fetch,
      tokenProvider: () => ({ token: `t${(count += 1)}`, expiresAt: Date.now() + 3_600_000 }),
    });
    await expect(call(client)).rejects.toBeInstanceOf(AuthenticationError);
    expect(seen.map(({ authorization }) => authorization)).toEqual(['Bearer t1', 'Bearer t2']);
  });

  it('rejects only the first caller when it aborts; the others get the token it had asked for', async () => {
    const answer = deferred<{ token: string; expiresAt: number }>();
    const signals: AbortSignal[] = [];
    const { fetch, seen } = recorder();
    const client = make({
      fetch,
      tokenProvider: ({ signal }) => {
        signals.push(signal);
        return answer.promise;
      },
    });
    const first = new AbortController();
    const calls = [call(client, { signal: first.signal }), ...Array.from({ length: 4 }, () => call(client))];
    await new Promise(setImmediate);
    first.abort();
    await expect(calls[0]).rejects.toMatchObject({ code: 'aborted', delivered: 'no' });
    expect(signals[0]?.aborted).toBe(false);
    answer.resolve({ token: 't1', expiresAt: Date.now() + 60_000 });
    expect(await Promise.allSettled(calls.slice(1))).toMatchObject(Array(4).fill({ status: 'fulfilled' }));
    expect(signals).toHaveLength(1);
    expect(seen).toHaveLength(4);
  });

  it('does not take a provider’s failing login for an answer of the server, and sends nothing', async () => {
    const { fetch, seen } = recorder();
    let asked = 0;
    const client = make({
      fetch,
      retries: 3,
      tokenProvider: () => {
        asked += 1;
        throw Object.assign(new Error('503 from https://issuer?client_secret=hunter2hunter2'), {
          status: 503,
        });
      },
    });
    const error: unknown = await call(client).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CredentialError);
    expect(String(error)).toMatch(/Error, status 503/);
    expect(String(error)).not.toMatch(/hunter2/);
    expect([asked, seen.length]).toEqual([1, 0]);
  });

  it('wraps what any source throws, and keeps the caller’s own abort an abort', async () => {
    const client = make({
      fetch: recorder().fetch,
      credentials: {
        get() {
          throw new TypeError('token=hunter2hunter2');
        },
      },
    });
    await expect(call(client)).rejects.toMatchObject({ name: 'CredentialError', code: 'credential' });
    const hanging = make({ fetch: recorder().fetch, tokenProvider: () => new Promise(() => undefined) });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(call(hanging, { signal })).rejects.toMatchObject({ name: 'AntennaAbortError' });
    await hanging.close();
  });

  it.each([
    ['an API key', 'AbCd1234.abcdefghijklmnopqrstuvwxyz123456', undefined, 'Api-Key', undefined],
    ['a token of `tokenScheme`', 'opaque', 'Token', 'Token', 'token'],
    ['an API key of `tokenScheme`', 'opaque', 'Api-Key', 'Api-Key', 'api-key'],
  ] as const)(
    'sends %s, and tells the dialect when it is known beforehand',
    async (_, token, tokenScheme, word, dialect) => {
      const { fetch, seen } = recorder();
      const client = make({ fetch, tokenProvider: () => token, tokenScheme });
      await call(client);
      expect(seen[0]?.authorization).toBe(`${word} ${token}`);
      expect(client.dialect).toBe(dialect);
    },
  );

  it('leaves no listener on a signal that a thousand calls share', async () => {
    const shutdown = new AbortController();
    const plain = make({ fetch: recorder().fetch, tokenProvider: () => Promise.resolve('token') });
    const held = make({
      fetch: recorder().fetch,
      tokenProvider: () => Promise.resolve({ token: 'token', expiresAt: Date.now() + 60_000 }),
    });
    for (const client of [plain, held]) {
      for (let request = 0; request < 1_000; request++) await call(client, { signal: shutdown.signal });
    }
    expect(getEventListeners(shutdown.signal, 'abort')).toHaveLength(0);
  });

  it('refuses a provider beside a key, and plain http to another machine', () => {
    const tokenProvider = () => 'x';
    expect(() => make({ tokenProvider, token: 'a'.repeat(40) })).toThrow(/exclude each other/);
    expect(() => make({ tokenProvider, baseUrl: 'http://antenna.invalid' })).toThrow(/unencrypted/);
    expect(() => make({ tokenProvider, tokenScheme: 'Basic' as 'Bearer' })).toThrow(/tokenScheme/);
  });

  it('works against a server that checks keys, and tells how the provider is doing', async () => {
    const server = createContractServer({ dialect: 'api-key' });
    const key = server.project({ name: 'Meadow' }).service().key();
    const client = new AntennaClient({
      baseUrl: server.baseUrl,
      fetch: (input, init) => server.fetch(input, init),
      logger: silentLogger,
      tokenProvider: () => ({ token: key.value, expiresAt: Date.now() + 60_000 }),
    });
    expect(client.credentialHealth).toMatchObject({ mode: 'unknown', failures: 0 });
    await client.jobs.list();
    expect(key.usageCount).toBe(1);
    expect(client.credentialHealth).toMatchObject({ mode: 'shared', failures: 0 });
    await client.close();
  });
});
