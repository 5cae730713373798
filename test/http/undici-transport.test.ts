import { createServer, type AddressInfo, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { AntennaTimeoutError } from 'antenna-sdk';
import { Agent, MockAgent, Pool, ProxyAgent, type Dispatcher } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dispatcherProblem } from '../../src/http/dispatcher-problem.js';
import { KEEP_ALIVE_MS } from '../../src/http/undici-transport.js';
import { clientOf, closeAll, failure, KEY, PROJECT, serve, turns, until } from '../support/calls.js';
import { sendJson } from '../support/stub-server.js';
import { tunnelProxy, type TunnelProxy } from '../support/tunnel-proxy.js';

afterEach(closeAll);

describe('dispatcherProblem', () => {
  it.each([
    ['an Agent', () => new Agent()],
    ['a Pool', () => new Pool('http://127.0.0.1:9')],
    ['a ProxyAgent', () => new ProxyAgent('http://127.0.0.1:9')],
    ['a MockAgent', () => new MockAgent()],
  ] as [string, () => Dispatcher][])(
    'finds none in %s of undici 7, and has it send nothing',
    async (_, make) => {
      const dispatcher = make();
      expect(dispatcherProblem(dispatcher)).toBeUndefined();
      await turns();
      await dispatcher.close();
    },
  );

  it('sees a dispatcher of an older undici, which wants other handlers', () => {
    // As undici 6 does: an error goes to the handler's onError, and the lack of it is an error of its own.
    const old = {
      dispatch(_options: unknown, handler: { onError?: unknown }) {
        if (typeof handler.onError !== 'function') throw new Error('invalid onError method');
        return true;
      },
    };
    expect(dispatcherProblem(old)).toContain('another major version of undici');
  });

  it.each([undefined, null, 5, 'agent', {}, () => undefined])('sees that %j is none', (value) => {
    expect(dispatcherProblem(value)).toContain('must be an undici Dispatcher');
  });
});

describe('a dispatcher of the caller’s', () => {
  it('carries the requests, and stays open when the client is closed', async () => {
    const agent = new MockAgent();
    agent.disableNetConnect();
    const pool = agent.get('https://antenna.example');
    pool
      .intercept({ path: '/api/v2/jobs/1/', headers: { authorization: `Api-Key ${KEY}` } })
      .reply(200, { id: 1, status: 'STARTED' }, { headers: { 'content-type': 'application/json' } })
      .times(2);
    const client = clientOf('https://antenna.example', { dispatcher: agent });
    expect(await client.jobs.get(1)).toMatchObject({ id: 1 });
    await client.close();
    const second = clientOf('https://antenna.example', { dispatcher: agent });
    expect(await second.jobs.get(1)).toMatchObject({ id: 1 });
    await agent.close();
  });

  it('cannot end a call with timeouts of its own below ours', async () => {
    let options: Dispatcher.DispatchOptions | undefined;
    const dispatcher = {
      dispatch(given: Dispatcher.DispatchOptions) {
        options = given;
        return true;
      },
    };
    const client = clientOf('https://antenna.example', {
      dispatcher: dispatcher as unknown as Dispatcher,
      retries: 0,
    });
    await failure(client.projects.get(1, { timeoutMs: 20 }));
    expect(options).toMatchObject({ headersTimeout: 0, bodyTimeout: 0 });
  });
});

describe('connecting', () => {
  it('that takes too long is a timeout of phase connect, with nothing delivered', async () => {
    const agent = new Agent({
      connect: (_options, callback) => {
        callback(
          Object.assign(new Error('Connect Timeout Error'), { code: 'UND_ERR_CONNECT_TIMEOUT' }),
          null,
        );
      },
    });
    const client = clientOf('http://127.0.0.1:9', { dispatcher: agent, retries: 1 });
    const error = await failure(client.tasks.reserve(1, { batchSize: 1 }));
    expect(error).toBeInstanceOf(AntennaTimeoutError);
    expect(error).toMatchObject({ phase: 'connect', delivered: 'no', attempts: 2 });
    expect(error.message).toContain('check baseUrl, DNS, firewall and proxy');
    await agent.close();
  });

  it('that hangs ends with the deadline', async () => {
    const agent = new Agent({ connect: () => undefined });
    const client = clientOf('http://127.0.0.1:9', { dispatcher: agent, retries: 0 });
    expect(await failure(client.tasks.reserve(1, { batchSize: 1 }, { timeoutMs: 20 }))).toMatchObject({
      phase: 'connect',
      delivered: 'no',
    });
    await agent.destroy();
  });

  it('is not needed for a call that was given up in the queue: it is never sent, and known not to be', async () => {
    let release: () => void = () => undefined;
    const stub = await serve((_request, response) => {
      release = () => {
        sendJson(response, 200, PROJECT);
      };
      if (stub.seen.length > 1) release();
    });
    const client = clientOf(stub.url, { maxConnections: 1 });
    const first = client.projects.get(1);
    await until(() => stub.seen.length === 1);
    const controller = new AbortController();
    const queued = failure(client.tasks.reserve(1, { batchSize: 1 }, { signal: controller.signal }));
    const timedOut = failure(client.tasks.reserve(2, { batchSize: 1 }, { timeoutMs: 20, retries: 0 }));
    await turns();
    controller.abort();
    expect(await queued).toMatchObject({ code: 'aborted', delivered: 'no' });
    expect(await timedOut).toMatchObject({ code: 'timeout', phase: 'connect', delivered: 'no' });
    release();
    await first;
    await client.projects.get(3);
    expect(stub.seen.map(({ url }) => url.split('?')[0])).toEqual([
      '/api/v2/projects/1/',
      '/api/v2/projects/3/',
    ]);
  });
});

describe('keep-alive', () => {
  it('ends before that of gunicorn, whose two seconds are the shortest of the usual servers', () => {
    expect(KEEP_ALIVE_MS).toBeLessThan(2_000);
  });

  it.each(['closes', 'resets'] as const)(
    'loses no read when the server %s a connection that it just used',
    async (how) => {
      const requests: number[] = [];
      const server = createServer((socket: Socket) => {
        let used = 0;
        socket.on('error', () => undefined);
        socket.on('data', () => {
          used += 1;
          requests.push(used);
          // The second request on a connection meets a closed door, as after an idle timeout that the server did not announce.
          if (used > 1) {
            if (how === 'closes') socket.destroy();
            else socket.resetAndDestroy();
            return;
          }
          const text = JSON.stringify(PROJECT);
          socket.write(
            `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
          );
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      // No retries: the resend on a fresh connection is not one, and comes at once.
      const client = clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { retries: 0 });
      for (let call = 0; call < 8; call++) expect(await client.projects.get(1)).toMatchObject(PROJECT);
      expect(requests.filter((used) => used > 1).length).toBeGreaterThan(1);
      await client.close();
      server.close();
    },
  );
});

describe('answers', () => {
  it('may be announced by early hints', async () => {
    const stub = await serve((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      sendJson(response, 200, PROJECT);
    });
    expect(await clientOf(stub.url).projects.get(1)).toMatchObject(PROJECT);
  });

  it('may come in a thousand pieces, cut in the middle of a letter', async () => {
    const name = 'Ærø – Ökologie 🦋'.repeat(20);
    const stub = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
      for (const byte of Buffer.from(JSON.stringify({ id: 1, name }))) response.write(Buffer.from([byte]));
      response.end();
    });
    expect((await clientOf(stub.url).projects.get(1)).name).toBe(name);
  });
});

describe('proxy', () => {
  let proxy: TunnelProxy;

  beforeEach(async () => {
    proxy = await tunnelProxy();
  });
  afterEach(async () => {
    await closeAll();
    proxy.close();
  });

  it('carries the requests through a tunnel, and never sees the credential', async () => {
    const stub = await serve((_request, response) => {
      sendJson(response, 200, PROJECT);
    });
    const client = clientOf(stub.url, { proxy: `http://user:proxy-password@${proxy.address}` });
    expect(await client.projects.get(1)).toMatchObject(PROJECT);
    expect(stub.seen[0]?.headers['authorization']).toBe(`Api-Key ${KEY}`);
    expect(stub.seen[0]?.headers['proxy-authorization']).toBeUndefined();
    expect(proxy.seen[0]?.url).toBe(new URL(stub.url).host);
    expect(proxy.seen[0]?.headers).toHaveProperty('proxy-authorization');
    expect(JSON.stringify(proxy.seen)).not.toContain(KEY.slice(9));
    expect(inspect(client, { depth: Infinity, showHidden: true })).not.toContain('proxy-password');
  });

  it('that refuses gives an error that says so, with nothing delivered and no password shown', async () => {
    proxy.refuse();
    const client = clientOf('http://127.0.0.1:9', {
      proxy: `http://user:proxy-password@${proxy.address}`,
      retries: 0,
    });
    const error = await failure(client.tasks.reserve(1, { batchSize: 1 }));
    expect(error).toMatchObject({ code: 'connection', delivered: 'no' });
    expect(error.message).toContain('407');
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('proxy-password');
  });

  it.each([
    ['used', '', 1],
    ['left out for the hosts of NO_PROXY', '127.0.0.1', 0],
  ])("of the environment is %s with proxy: 'env'", async (_, noProxy, tunnels) => {
    const stub = await serve((_request, response) => {
      sendJson(response, 200, PROJECT);
    });
    const before = { http_proxy: process.env['http_proxy'], no_proxy: process.env['no_proxy'] };
    process.env['http_proxy'] = `http://${proxy.address}`;
    process.env['no_proxy'] = noProxy;
    try {
      expect(await clientOf(stub.url, { proxy: 'env' }).projects.get(1)).toMatchObject(PROJECT);
      // Nobody asked for it here.
      await clientOf(stub.url).projects.get(1);
    } finally {
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    }
    expect(proxy.seen).toHaveLength(tunnels);
  });
});
