import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AntennaClient, AntennaConfigError, systemClock } from 'antenna-sdk';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createUndiciTransport } from '../../src/http/undici-transport.js';
import { Deadline } from '../../src/time/deadline.js';
import { resolveWorkerOptions } from '../../src/worker/run/options.js';
import { KEY } from '../support/calls.js';
import { pipelineDefinition } from '../support/pipelines.js';

/** What Bun has in the place of undici: names and nothing behind them. `npm run test:runtimes` tries the real one. */
vi.mock('undici', () => {
  class Dispatcher {
    readonly name = 'of Bun';
  }
  return { Agent: Dispatcher, ProxyAgent: Dispatcher, EnvHttpProxyAgent: Dispatcher };
});

const seen: NodeJS.Dict<string | string[]>[] = [];
const server = createServer(({ headers }, response) => {
  seen.push(headers);
  response.end('pixels');
});
let url = new URL('http://127.0.0.1');

beforeEach(async () => {
  seen.length = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
afterEach(() => {
  vi.unstubAllGlobals();
  server.closeAllConnections();
  server.close();
});

type Options = Partial<Parameters<typeof createUndiciTransport>[0]>;
async function ask(options: Options = {}): Promise<string> {
  const transport = createUndiciTransport({ connectTimeoutMs: 1_000, maxResponseBytes: 1_000, ...options });
  const deadline = new Deadline({ clock: systemClock, timeoutMs: 5_000 });
  try {
    const request = { method: 'GET', url, headers: {}, body: undefined, deadline, enter: () => undefined };
    return String((await transport.send(request)).body);
  } finally {
    deadline.dispose();
    await transport.close();
  }
}

it('on a runtime whose undici has no dispatchers, requests go through its fetch, and unpacked as through undici', async () => {
  expect(await ask()).toBe('pixels');
  expect(seen[0]?.['accept-encoding']).toBe('identity');
});

it('names the proxy to that fetch as Bun wants it', async () => {
  const asked: unknown[] = [];
  vi.stubGlobal('fetch', (_input: string, init: unknown) => {
    asked.push(init);
    return Promise.resolve(new Response('pixels'));
  });
  await ask({ proxy: 'http://proxy.example:3128' });
  await ask({ proxy: 'env' });
  expect(asked[0]).toMatchObject({ proxy: 'http://proxy.example:3128' });
  expect(asked[1]).not.toHaveProperty('proxy');
});

it('never guards addresses by halves there: publicOnly asks nobody, and is refused when the worker is made', async () => {
  url = new URL(url.href.replace('127.0.0.1', 'localhost'));
  await expect(ask({ publicOnly: true })).rejects.toThrow('cannot be checked on this runtime');
  expect(seen).toEqual([]);
  vi.stubGlobal('process', { ...process, env: {}, versions: { ...process.versions, bun: '1.0.0' } });
  const client = new AntennaClient({ baseUrl: 'http://127.0.0.1:9', apiKey: KEY });
  const options = { client, pipelines: [pipelineDefinition()], download: { publicOnly: true } };
  expect(() => resolveWorkerOptions(options)).toThrow(AntennaConfigError);
  expect(() => resolveWorkerOptions(options)).toThrow(/cannot be checked on Bun/);
});
