import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import {
  AntennaAbortError,
  AntennaClient,
  AntennaConnectionError,
  AntennaContractError,
  AntennaTimeoutError,
  RateLimitError,
  ServerError,
  silentLogger,
  type AntennaClientOptions,
  type FetchLike,
} from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { sendJson, stubServer, type Answer, type StubServer } from '../support/stub-server.js';

const KEY = `abcdefgh.${'k'.repeat(32)}`;
const closers: (() => Promise<void>)[] = [];
const viaFetch: FetchLike = (input, init) => fetch(input, init);
const project = { id: 1, name: 'Meadow' };
const emptyPage = { count: 0, next: null, previous: null, results: [] };

async function serve(answer: Answer): Promise<StubServer> {
  const stub = await stubServer(answer);
  closers.push(() => stub.close());
  return stub;
}

function clientOf(baseUrl: string, options: AntennaClientOptions = {}): AntennaClient {
  const client = new AntennaClient({
    cache: false,
    baseUrl,
    apiKey: KEY,
    logger: silentLogger,
    random: () => 0,
    ...options,
  });
  closers.push(() => client.close());
  return client;
}

async function failure(work: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await work;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('it should have failed');
}

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe.each([
  ['undici', {}],
  ['fetch', { fetch: viaFetch }],
] satisfies [string, AntennaClientOptions][])('the request path over %s', (transport, carrier) => {
  const connect = (url: string, options: AntennaClientOptions = {}) =>
    clientOf(url, { ...carrier, ...options });

  it('sends the credential, asks for JSON, ends paths in a slash (T1) and gives bodies a length (T2)', async () => {
    const stub = await serve((_request, response) => {
      sendJson(response, 200, { tasks: [] });
    });
    await connect(stub.url).tasks.reserve(7, { batchSize: 2 });
    const [request] = stub.seen;
    expect(request).toMatchObject({ method: 'POST', url: '/api/v2/jobs/7/tasks/' });
    expect(request?.headers).toMatchObject({
      authorization: `Api-Key ${KEY}`,
      accept: 'application/json',
      'content-type': 'application/json',
      'content-length': String(request?.body.length),
    });
    expect(request?.headers['transfer-encoding']).toBeUndefined();
  });

  it.each([
    ['an HTML page', 200, { 'content-type': 'text/html' }, '<html>maintenance</html>', 'not_json'],
    ['nothing', 200, { 'content-type': 'application/json' }, '', 'not_json'],
    ['no content', 204, {}, '', 'not_json'],
    ['JSON under the wrong name', 200, { 'content-type': 'text/plain' }, '{"tasks":[]}', 'not_json'],
    ['half a document', 200, { 'content-type': 'application/json' }, '{"tasks":[', 'bad_json'],
    ["another service's JSON", 200, { 'content-type': 'application/json' }, '{"ok":true}', 'off_schema'],
    [
      'a task without its subject',
      200,
      { 'content-type': 'application/json' },
      '{"tasks":[{"id":"1"}]}',
      'off_schema',
    ],
    ['a redirect', 301, { location: '/api/v2/jobs/7/tasks/' }, '', 'redirect'],
  ] as const)('never takes %s for "no tasks"', async (_, status, headers, body, violation) => {
    const stub = await serve((_request, response) => response.writeHead(status, headers).end(body));
    const error = await failure(connect(stub.url).tasks.reserve(7, { batchSize: 1 }));
    expect(error).toBeInstanceOf(AntennaContractError);
    expect(error).toMatchObject({ violation, status, method: 'POST', path: '/jobs/7/tasks/' });
    expect(stub.seen).toHaveLength(1);
  });

  it('never takes an HTML page for an empty list, a registration or an acceptance', async () => {
    const stub = await serve((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    );
    const client = connect(stub.url);
    for (const call of [
      () => client.projects.list().toArray(10),
      () => client.jobs.open({ pipelines: ['a'] }),
      () => client.pipelines.register(1, []),
      () => client.results.submit(1, []),
    ]) {
      expect(await failure(call())).toBeInstanceOf(AntennaContractError);
    }
  });

  it('follows no redirect, so that no POST becomes a GET and no credential leaves its origin', async () => {
    const foreign = await serve((_request, response) => {
      sendJson(response, 200, emptyPage);
    });
    const stub = await serve((_request, response) =>
      response.writeHead(307, { location: `${foreign.url}/steal/` }).end(),
    );
    const client = connect(stub.url);
    expect(await failure(client.results.submit(1, []))).toMatchObject({ code: 'contract_redirect' });
    expect(await failure(client.projects.get(1))).toMatchObject({ code: 'contract_redirect' });
    expect(foreign.seen).toEqual([]);
  });

  it('stays on its own origin whatever host a next link names, and keeps its filters', async () => {
    const stub = await serve((request, response) => {
      const second = request.url.includes('offset=1');
      const next = second
        ? null
        : 'https://inner.example:8443/api/v2/projects/?limit=1&offset=1&ordering=evil';
      sendJson(response, 200, {
        count: 2,
        next,
        previous: null,
        results: [{ id: second ? 2 : 1, name: 'p' }],
      });
    });
    const list = connect(stub.url).projects.list({ limit: 1, ordering: 'name' });
    expect((await list.toArray(10)).map(({ id }) => id)).toEqual([1, 2]);
    expect(stub.seen[1]?.url).toContain('/api/v2/projects/?');
    expect(stub.seen[1]?.url).toContain('ordering=name');
  });

  it('says so when the pages of a list point at themselves: a list cut short must not look whole', async () => {
    const stub = await serve((request, response) => {
      sendJson(response, 200, {
        count: 9,
        next: `http://x${request.url}`,
        previous: null,
        results: [project],
      });
    });
    expect(await failure(connect(stub.url).projects.list().toArray(50))).toMatchObject({
      code: 'contract_off_schema',
      bodyPath: 'next',
    });
    expect(stub.seen.length).toBeLessThan(4);
  });

  it('retries what may be read twice, and says how often it tried', async () => {
    let calls = 0;
    const stub = await serve((_request, response) => {
      if (++calls < 3) sendJson(response, 502, {});
      else sendJson(response, 200, project);
    });
    expect(await connect(stub.url).projects.get(1)).toMatchObject(project);
    calls = -10;
    expect(await failure(connect(stub.url).projects.get(1))).toMatchObject({
      attempts: 4,
      status: 502,
      name: 'ServerError',
    });
  });

  it('does not retry against a Retry-After of two minutes: it says so at once', async () => {
    const stub = await serve((_request, response) => {
      sendJson(response, 429, { detail: 'slow down' }, { 'retry-after': '120' });
    });
    const client = connect(stub.url);
    const error = await failure(client.projects.get(1));
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error).toMatchObject({ retryAfterMs: 120_000, attempts: 1 });
    // The gate is shut for everyone now, and what cannot wait that long fails before it is sent.
    expect(await failure(client.jobs.get(1, { timeoutMs: 1_000 }))).toMatchObject({
      code: 'origin_gate',
      delivered: 'no',
    });
    expect(stub.seen).toHaveLength(1);
  });

  it('reserves once when the connection breaks or the answer stalls (T4, T5), and never repeats a key or a service', async () => {
    const stub = await serve((_request, response) => response.socket?.destroy());
    const client = connect(stub.url);
    expect(await failure(client.tasks.reserve(1, { batchSize: 1 }))).toMatchObject({
      delivered: 'unknown',
      attempts: 1,
    });
    await failure(client.processingServices.generateKey(1, 1));
    await failure(client.processingServices.create(1, { name: 'w' }));
    await failure(client.jobs.create({ name: 'j', project_id: 1 }));
    expect(stub.seen).toHaveLength(4);
  });

  it('reserves once when no answer comes in time: the server may have leased tasks by then (T4)', async () => {
    const stub = await serve(() => undefined);
    const client = connect(stub.url, { attemptTimeoutMs: 30, timeoutMs: 5_000 });
    const error = await failure(client.tasks.reserve(1, { batchSize: 1 }));
    expect(error).toMatchObject({
      name: 'AntennaTimeoutError',
      phase: 'headers',
      delivered: 'unknown',
      attempts: 1,
    });
    expect(stub.seen).toHaveLength(1);
  });

  it('gives up a stalled post after the attempt time that was asked for', async () => {
    const stub = await serve(() => undefined);
    const client = connect(stub.url, { attemptTimeoutMs: 30, retries: 0 });
    const result = { reply_subject: 's', result: { error: 'no image', image_id: '1' } };
    const error = await failure(client.results.submit(1, [result]));
    expect(error).toMatchObject({ name: 'AntennaTimeoutError', phase: 'headers' });
  });

  it('posts results again after a reset, with the same bytes', async () => {
    let calls = 0;
    const stub = await serve((_request, response) => {
      if (++calls === 1) response.socket?.destroy();
      else sendJson(response, 200, { status: 'accepted', job_id: 1, results_queued: 1, tasks: [] });
    });
    const result = { reply_subject: 's', result: { error: 'no image', image_id: '1' } };
    await connect(stub.url).results.submit(1, [result]);
    expect(stub.seen[1]?.body).toBe(stub.seen[0]?.body);
  });

  it('knows that a refused connection delivered nothing', async () => {
    const stub = await stubServer(() => undefined);
    await stub.close();
    const error = await failure(connect(stub.url, { retries: 0 }).tasks.reserve(1, { batchSize: 1 }));
    expect(error).toBeInstanceOf(AntennaConnectionError);
    expect(error).toMatchObject({ delivered: 'no', causeCode: 'ECONNREFUSED' });
  });

  it.each([
    ['headers', () => undefined],
    [
      'body',
      (
        _request: unknown,
        response: { writeHead: (status: number, headers: object) => { write: (text: string) => void } },
      ) => {
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
          .write('{"id":');
      },
    ],
  ] as [string, Answer][])('ends a call whose %s stall, and names the phase', async (phase, answer) => {
    const stub = await serve(answer);
    const error = await failure(connect(stub.url, { timeoutMs: 60, retries: 0 }).projects.get(1));
    expect(error).toBeInstanceOf(AntennaTimeoutError);
    expect(error).toMatchObject({ phase, delivered: 'unknown', path: '/projects/1/' });
  });

  it.each(['with its length', 'in chunks'])('never resolves with half a body sent %s', async (how) => {
    const stub = await serve((_request, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        ...(how === 'in chunks' ? {} : { 'content-length': '50' }),
      });
      response.write('{"id":1,"name":"a"');
      setImmediate(() => response.destroy());
    });
    expect(await failure(connect(stub.url, { retries: 0 }).projects.get(1))).toBeInstanceOf(
      AntennaConnectionError,
    );
  });

  it('refuses an endless answer', async () => {
    const stub = await serve((_request, response) => {
      sendJson(response, 200, { id: 1, name: 'x'.repeat(5_000) });
    });
    const error = await failure(connect(stub.url, { maxResponseBytes: 1_000 }).projects.get(1));
    expect(error).toMatchObject({ code: 'contract_too_large' });
    expect(stub.seen).toHaveLength(1);
  });

  it('gives up when the signal aborts, in flight and between two tries, keeping the reason', async () => {
    const stub = await serve((request, response) => {
      if (request.url.includes('/1/')) sendJson(response, 503, {}, { 'retry-after': '30' });
    });
    const client = connect(stub.url);
    for (const id of [1, 2]) {
      const controller = new AbortController();
      const reason = new Error(`enough of ${id}`);
      const pending = failure(client.projects.get(id, { signal: controller.signal, timeoutMs: 300_000 }));
      const seenBefore = stub.seen.length;
      while (id === 2 ? false : stub.seen.length === seenBefore) await new Promise(setImmediate);
      setTimeout(() => {
        controller.abort(reason);
      }, 20);
      const error = await pending;
      expect(error).toBeInstanceOf(AntennaAbortError);
      expect(error.cause).toBe(reason);
    }
  });

  it('leaves no listener on a signal that a thousand calls shared', async () => {
    const stub = await serve((_request, response) => {
      sendJson(response, 200, project);
    });
    const client = connect(stub.url);
    const { signal } = new AbortController();
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 50 }, () => client.projects.get(1, { signal })));
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(stub.seen).toHaveLength(1_000);
  }, 60_000);

  it(`logs in without the credential it was given (T13) over ${transport}`, async () => {
    const stub = await serve((_request, response) => {
      sendJson(response, 200, { auth_token: 'a'.repeat(40) });
    });
    const { auth_token } = await connect(stub.url).auth.login({
      email: 'a@b.c',
      password: 'secret-password',
    });
    expect(auth_token.reveal()).toBe('a'.repeat(40));
    expect(stub.seen[0]?.headers['authorization']).toBeUndefined();
  });
});

describe('the request path over undici', () => {
  it('loses no call to connections that the server closed while idle', async () => {
    const sockets = new Set<Socket>();
    const stub = await serve((_request, response) => {
      sendJson(response, 200, { status: 'accepted', job_id: 1, results_queued: 0, tasks: [] });
    });
    stub.server.on('connection', (socket) => sockets.add(socket));
    const client = clientOf(stub.url);
    for (let round = 0; round < 30; round++) {
      await client.results.submit(1, []);
      // Without a word, as a proxy does that restarts.
      for (const socket of sockets) socket.resetAndDestroy();
      sockets.clear();
    }
    expect(stub.seen.length).toBeGreaterThanOrEqual(30);
  });

  it('tells a connection that hangs from a server that does', async () => {
    // As behind a firewall that drops everything: no connection ever takes the request.
    const dispatcher = { dispatch: () => true, close: () => Promise.resolve() };
    const client = clientOf('http://127.0.0.1:9', {
      dispatcher: dispatcher as never,
      timeoutMs: 40,
      retries: 0,
    });
    expect(await failure(client.tasks.reserve(1, { batchSize: 1 }))).toMatchObject({
      phase: 'connect',
      delivered: 'no',
    });
  });

  it('refuses calls after close, and lets the running ones end', async () => {
    let release: () => void = () => undefined;
    const stub = await serve((_request, response) => {
      release = () => {
        sendJson(response, 200, project);
      };
    });
    const client = clientOf(stub.url);
    const running = client.projects.get(1);
    while (stub.seen.length === 0) await new Promise(setImmediate);
    const closing = client.close();
    expect(await failure(client.projects.get(2))).toMatchObject({
      name: 'AntennaAbortError',
      delivered: 'no',
    });
    release();
    expect(await running).toMatchObject(project);
    await closing;
    expect(stub.seen).toHaveLength(1);
  });

  it('retries a server error on the virtual clock no faster than its backoff', async () => {
    const stub = await serve((_request, response) => {
      sendJson(response, 500, {});
    });
    const error = await failure(clientOf(stub.url, { retries: 2 }).projects.get(1));
    expect(error).toBeInstanceOf(ServerError);
    expect(stub.seen).toHaveLength(3);
  });
});
