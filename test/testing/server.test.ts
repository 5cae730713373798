import { setupServer } from 'msw/node';
import { describe, expect, it } from 'vitest';
import { AntennaClient } from '../../src/index.js';
import { createContractServer } from '../../src/testing/index.js';
import { createCaller, createWorld, failure, post, success, take } from './helpers.js';

describe('one job from start to end', () => {
  it.each(['api-key', 'token'] as const)(
    'is delivered, counted and ends as SUCCESS in the %s dialect',
    async (dialect) => {
      const { call, project, pipeline } = createWorld({ dialect });
      const job = project.job({
        pipeline,
        images: ['https://images.example/1.jpg', 'https://images.example/2.jpg'],
      });

      const tasks = await take(call, job.id);
      expect(tasks.map((task) => task.image_url)).toEqual([
        'https://images.example/1.jpg',
        'https://images.example/2.jpg',
      ]);
      for (const task of tasks) await post(call, job.id, success(task, [1, 20]));

      expect(job.status).toBe('SUCCESS');
      expect(job.counts).toEqual({
        total: 2,
        processed: 2,
        failed: 0,
        captures: 2,
        detections: 4,
        classifications: 4,
      });
      expect(job.queue).toBeNull();
      expect(job.results.map((result) => result.outcome.kind)).toEqual(['saved', 'saved']);
      expect(job.detections(tasks[0]?.id ?? '')).toHaveLength(2);
      expect(await take(call, job.id)).toEqual([]);
    },
  );
});

describe('the ways to reach the server', () => {
  it('answers fetch calls that MSW intercepts', async () => {
    const { server, key } = createWorld();
    const mock = setupServer(...server.handlers);
    mock.listen({ onUnhandledRequest: 'error' });
    try {
      const call = createCaller(globalThis.fetch, server.baseUrl, `Api-Key ${key.value}`);
      const answer = await call('GET', '/projects/');
      expect(answer).toMatchObject({ status: 200, body: { count: 1 } });
      server.faults.resetBefore();
      await expect(call('GET', '/projects/')).rejects.toThrow(TypeError);
    } finally {
      mock.close();
    }
  });

  it('answers on a real socket, with URLs of that socket in its bodies', async () => {
    const { server, key } = createWorld();
    const listener = await server.listen();
    try {
      const call = createCaller(globalThis.fetch, listener.url, `Api-Key ${key.value}`);
      const answer = await call('GET', '/projects/');
      expect(answer.status).toBe(200);
      expect(JSON.stringify(answer.body)).toContain(`${listener.origin}/api/v2/projects/`);
      expect(listener.url).toMatch(/\/api\/v2$/);
    } finally {
      await server.close();
    }
    await expect(fetch(listener.url)).rejects.toThrow();
  });

  it('names its socket as base URL while it listens, so that a client needs nothing else', async () => {
    const { server, key } = createWorld();
    const fictional = server.baseUrl;
    await server.listen();
    const second = await server.listen();
    expect(server.baseUrl).toBe(second.url);
    const client = new AntennaClient({ baseUrl: server.baseUrl, apiKey: key.value });
    try {
      expect((await client.projects.list()).count).toBe(1);
      // The one that it had before goes on answering calls that never meet the network.
      expect((await server.fetch(`${fictional}/projects/`)).status).toBe(200);
      expect((await server.fetch(`${server.baseUrl}/projects/`)).status).toBe(200);
      await second.close();
      expect(server.baseUrl).toMatch(/^http:\/\/127/);
      expect(server.baseUrl).not.toBe(second.url);
    } finally {
      await client.close();
      await server.close();
    }
    expect(server.baseUrl).toBe(fictional);
  });

  it('refuses to answer for a host that is not its own', async () => {
    const { server } = createWorld();
    await expect(server.fetch('https://elsewhere.example/api/v2/jobs/')).rejects.toMatchObject({
      cause: { code: 'ENOTFOUND' },
    });
  });

  it('reads a chunked body as an empty one, over fetch and over a socket', async () => {
    const { server, key, project, pipeline } = createWorld();
    const job = project.job({ pipeline, images: 1 });
    const listener = await server.listen();
    const chunked = (): RequestInit => ({
      method: 'POST',
      duplex: 'half',
      headers: { authorization: `Api-Key ${key.value}`, 'content-type': 'application/json' },
      body: new Blob(['{"batch_size":1}']).stream(),
    });
    try {
      for (const answer of [
        await server.fetch(`${server.baseUrl}/jobs/${job.id}/tasks/`, chunked()),
        await fetch(`${listener.url}/jobs/${job.id}/tasks/`, chunked()),
      ]) {
        expect(answer.status).toBe(400);
        expect(await answer.json()).toEqual({ batch_size: ['This field is required.'] });
      }
    } finally {
      await server.close();
    }
  });

  it('turns a redirected POST into a GET, as fetch does with the real server', async () => {
    const { server, key, project } = createWorld();
    const answer = await server.fetch(`${server.baseUrl}/projects/${project.id}/pipelines`, {
      method: 'POST',
      headers: { authorization: `Api-Key ${key.value}`, 'content-type': 'application/json' },
      body: '{"pipelines":[]}',
    });
    expect(answer.status).toBe(200);
    expect(server.requests.map(({ method, status }) => `${method} ${status ?? ''}`)).toEqual([
      'POST 301',
      'GET 200',
    ]);
  });

  it('ends a call whose signal aborts while the server is silent', async () => {
    const { server, call } = createWorld();
    server.faults.stallHeaders();
    const controller = new AbortController();
    const pending = call('GET', '/projects/', undefined, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
  });
});

describe('what a test can see', () => {
  it('shows requests without the secret part of a credential', async () => {
    const { server, call, key, user } = createWorld();
    await call('GET', '/projects/?limit=1');
    await call('GET', '/users/me/', undefined, { authorization: `Token ${user.token}` });
    const [first, second] = server.requests;
    expect(first).toMatchObject({ method: 'GET', path: '/projects/', query: { limit: '1' }, status: 200 });
    expect(first?.headers.authorization).toBe(`Api-Key ${key.prefix}.***`);
    expect(second?.headers.authorization).toBe('Token ***');
  });

  it('keeps the newest requests only, up to its limit', async () => {
    const { server, call } = createWorld({ requestLimit: 2 });
    for (const page of [1, 2, 3]) await call('GET', `/projects/?limit=${page}`);
    expect(server.requests.map((request) => request.query.limit)).toEqual(['2', '3']);
  });

  it('keeps a book of deliveries, acknowledgements and outcomes', async () => {
    const { call, project, pipeline, clock } = createWorld();
    const job = project.job({ pipeline, images: 2 });
    const [first, second] = await take(call, job.id);
    if (!first || !second) throw new Error('two tasks expected');
    await clock.advance(30_000);
    const [again] = await take(call, job.id, 1);
    if (!again) throw new Error('a redelivery expected');
    await post(call, job.id, success(again), failure(second));
    expect(job.ledger.image(first.id)).toEqual({
      deliveries: 2,
      posted: 1,
      acknowledged: 1,
      saveFailures: 0,
      outcome: 'success',
    });
    expect(job.ledger.image(second.id).outcome).toBe('error');
    expect(job.ledger.eventsOf(first.id).map((event) => event.kind)).toEqual([
      'published',
      'delivered',
      'expired',
      'delivered',
      'posted',
      // This dialect acknowledges before it counts; `token` the other way round.
      'acknowledged',
      'counted',
    ]);
  });

  it('shows how often and when a key was used', async () => {
    const { call, key, clock } = createWorld();
    expect(key.lastUsedAt).toBeNull();
    await call('GET', '/projects/');
    await clock.advance(1000);
    await call('GET', '/projects/');
    expect(key.usageCount).toBe(2);
    expect(key.lastUsedAt?.getTime()).toBe(clock.wallNow());
  });
});

describe('starting over', () => {
  it('forgets state, requests and faults on reset', async () => {
    const { server, call } = createWorld();
    server.faults.outage({ as: 'bad-gateway' });
    await call('GET', '/projects/');
    server.reset();
    expect(server.requests).toEqual([]);
    const answer = await call('GET', '/projects/', undefined, { authorization: null });
    expect(answer).toMatchObject({ status: 200, body: { count: 0 } });
  });

  it('gives the same ids, tokens and orders for the same seed', () => {
    const make = (seed: number) => {
      const { key, user } = createWorld({ seed });
      return [key.value, user.token];
    };
    expect(make(7)).toEqual(make(7));
    expect(make(7)).not.toEqual(make(8));
  });
});

describe('options', () => {
  it('names the option that cannot be used', () => {
    expect(() => createContractServer({ dialect: 'soap' as 'token' })).toThrow(/dialect must be/);
    expect(() => createContractServer({ dialect: 'token', saveDelayMs: -1 })).toThrow(/saveDelayMs/);
  });

  it('says how to get a clock that can be moved', async () => {
    const server = createContractServer({ dialect: 'token' });
    await expect(server.clock.advance(1)).rejects.toThrow(/createTestClock/);
    await server.close();
  });

  it('saves results after saveDelayMs on its clock, or at once when told to settle', async () => {
    const { server, call, project, pipeline, clock } = createWorld({ saveDelayMs: 100 });
    const job = project.job({ pipeline, images: 2 });
    const [first, second] = await take(call, job.id);
    if (!first || !second) throw new Error('two tasks expected');
    await post(call, job.id, success(first));
    await server.clock.advance(99);
    expect(job.results[0]?.outcome.kind).toBe('queued');
    await server.clock.advance(1);
    expect(job.results[0]?.outcome.kind).toBe('saved');
    await post(call, job.id, success(second));
    server.settle();
    expect(job.status).toBe('SUCCESS');
    expect(clock.now()).toBe(100);
  });
});
