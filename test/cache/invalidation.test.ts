import type { AntennaClient } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { CACHED_OPERATIONS, INVALIDATES, type CachedOperation } from '../../src/cache/rules.js';
import { failure, TOKEN, turns } from '../support/calls.js';
import { pipelineDefinition } from '../support/pipelines.js';
import { cachingClient, countingServer } from './support.js';

const READS: Readonly<Record<CachedOperation, (client: AntennaClient) => PromiseLike<unknown>>> = {
  'auth.me': (client) => client.auth.me(),
  'projects.get': (client) => client.projects.get(1),
  'projects.list': (client) => client.projects.list(),
  'pipelines.get': (client) => client.pipelines.get(1),
  'pipelines.list': (client) => client.pipelines.list(),
  'pipelines.listForProject': (client) => client.pipelines.listForProject(1),
  'processingServices.get': (client) => client.processingServices.get(1, 1),
  'processingServices.list': (client) => client.processingServices.list(1),
};

const { process: _process, ...definition } = pipelineDefinition();
const CHANGES: Readonly<Record<string, (client: AntennaClient) => Promise<unknown>>> = {
  'auth.login': (client) => client.auth.login({ email: 'a@h.example', password: 'p' }),
  'auth.logout': (client) => client.auth.logout(),
  'pipelines.register': (client) => client.pipelines.register(1, [definition], { readBack: false }),
  'processingServices.create': (client) => client.processingServices.create(1, { name: 's' }),
  'processingServices.generateKey': (client) => client.processingServices.generateKey(1, 1),
  'jobs.create': (client) => client.jobs.create({ name: 'j', project_id: 1, pipeline_id: 1 }),
  'jobs.run': (client) => client.jobs.run(1),
  'jobs.cancel': (client) => client.jobs.cancel(1),
  'jobs.retry': (client) => client.jobs.retry(1),
  'tasks.reserve': (client) => client.tasks.reserve(1, { batchSize: 1 }),
  'results.submit': (client) => client.results.submit(1, []),
};

/** Which operations are asked for again when all are read. */
async function reread(client: AntennaClient): Promise<CachedOperation[]> {
  const again: CachedOperation[] = [];
  for (const name of CACHED_OPERATIONS) {
    const { misses } = client.cache.stats();
    await READS[name](client);
    if (client.cache.stats().misses > misses) again.push(name);
  }
  return again;
}

describe('what a change makes old', () => {
  it('is written down for every operation that changes something', () => {
    expect(Object.keys(CHANGES).sort()).toEqual(Object.keys(INVALIDATES).sort());
  });

  it.each([
    ['auth.login', []],
    ['auth.logout', CACHED_OPERATIONS],
    ['pipelines.register', CACHED_OPERATIONS.filter((name) => !['auth.me', 'projects.list'].includes(name))],
    ['processingServices.create', ['processingServices.get', 'processingServices.list']],
    ['processingServices.generateKey', ['processingServices.get', 'processingServices.list']],
    ['jobs.create', []],
    ['jobs.run', []],
    ['jobs.cancel', []],
    ['jobs.retry', []],
    ['tasks.reserve', []],
    ['results.submit', []],
  ] as const)('by %s is asked for again, and nothing else', async (change, expected) => {
    const { client, seen } = cachingClient({ token: TOKEN, serviceName: 's' });
    expect(await reread(client)).toEqual(CACHED_OPERATIONS);
    expect(await reread(client)).toEqual([]);
    const sent = seen.length;
    // Whatever the stub answers: a change that failed may have happened.
    await CHANGES[change]?.(client).catch(() => undefined);
    expect(seen.length, 'the change was sent').toBe(sent + 1);
    expect(await reread(client)).toEqual(expected);
  });

  it('is not kept when it was on its way during the change', async () => {
    const { client, seen } = cachingClient({ token: TOKEN }, countingServer({ slow: true }));
    const read = client.processingServices.get(1, 1);
    const change = client.processingServices.create(1, { name: 's' }).catch(() => undefined);
    await turns();
    seen[1]?.answer();
    await change;
    seen[0]?.answer();
    await read;
    expect(client.cache.stats()).toMatchObject({ stored: 0, entries: 0 });
  });

  it('is seen by all credentials of the client', async () => {
    let tenant = 'a';
    const { client } = cachingClient({ tokenProvider: () => `token-of-${tenant}` });
    await client.processingServices.get(1, 1);
    tenant = 'b';
    await client.processingServices.create(1, { name: 's' }).catch(() => undefined);
    expect(client.cache.stats()).toMatchObject({ invalidated: 1, entries: 0 });
  });
});

describe('a refused credential', () => {
  it('takes its answers with it, whichever call is refused, and leaves those of others', async () => {
    let tenant = 'a';
    const { client, seen } = cachingClient(
      { tokenProvider: () => `token-of-${tenant}` },
      countingServer({ slow: true }),
    );
    const answered = async (work: PromiseLike<unknown>, status?: number): Promise<void> => {
      await turns();
      seen.at(-1)?.answer(status);
      if (status === undefined) await work;
      else await failure(work);
    };
    await answered(client.projects.get(1));
    tenant = 'b';
    await answered(client.projects.get(1));
    expect(client.cache.stats().entries).toBe(2);
    // The provider has nothing newer to say, so the refusal stands.
    await answered(client.jobs.get(5), 401);
    expect(client.cache.stats()).toMatchObject({ entries: 1, invalidated: 1 });
    tenant = 'a';
    const kept = await client.projects.get(1);
    expect(kept.name).toBe('a');
    expect(seen.filter(({ path }) => path.endsWith('/jobs/5/')).length).toBeGreaterThan(0);
  });

  it('takes its answers with it also when the call goes on with a newer one', async () => {
    let serial = 1;
    const { client, clock, seen } = cachingClient(
      {
        tokenProvider: ({ reason }) => {
          if (reason === 'rejected') serial += 1;
          return { token: `token-${serial}`, expiresAt: clock.wallNow() + 3_600_000 };
        },
      },
      countingServer({ slow: true }),
    );
    const first = client.projects.get(1);
    await turns();
    seen[0]?.answer();
    await first;
    const second = client.projects.get(2);
    await turns();
    seen[1]?.answer(401);
    await turns();
    expect(client.cache.stats()).toMatchObject({ entries: 0, invalidated: 1 });
    seen[2]?.answer();
    expect((await second).id).toBe(3);
    expect(seen.map(({ authorization }) => authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-1',
      'Bearer token-2',
    ]);
  });

  it('takes its answers with it also when it was the newer one', async () => {
    let tenant = 'b';
    const { client, seen } = cachingClient(
      { tokenProvider: ({ reason }) => `token-of-${reason === 'rejected' ? 'b' : tenant}` },
      countingServer({ slow: true }),
    );
    const read = client.projects.get(1);
    await turns();
    seen[0]?.answer();
    await read;
    tenant = 'a';
    const refused = failure(client.jobs.get(5));
    for (const index of [1, 2]) {
      await turns();
      seen[index]?.answer(401);
    }
    expect(await refused).toMatchObject({ status: 401 });
    expect(client.cache.stats()).toMatchObject({ entries: 0, invalidated: 1 });
  });
});
