import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readStatus, startHealthServer, StatusBoard } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { createWorld } from '../../support/worlds.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

async function answering(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the status of a worker elsewhere', () => {
  it('is what its board says, from whatever address of its port', async () => {
    const world = await createWorld('api-key', 'msw');
    cleanups.push(() => world.close());
    const worker = world.worker();
    const board = new StatusBoard({ worker, name: 'worker-3' });
    const port = await startHealthServer({
      port: 0,
      source: {
        health: () => worker.health(),
        overview: () => ({
          ...{ software: 'antenna-sdk', hostname: 'station', now: new Date(0).toISOString() },
          ...{ gpus: ['0: a card'], view: false, workers: [board.status()] },
        }),
      },
    });
    cleanups.push(() => port.close());
    const origin = `http://${port.host}:${port.port}`;
    for (const address of [origin, `${origin}/`, `${origin}/status.json`, `${origin}/?a=b#c`])
      expect(await readStatus(address)).toMatchObject({
        hostname: 'station',
        gpus: ['0: a card'],
        workers: [{ name: 'worker-3', state: 'idle', jobs: [], counters: { reserved: 0 } }],
      });
  });

  it('is told apart from nothing, from other servers and from answers of another form', async () => {
    await expect(readStatus('http://127.0.0.1:59')).rejects.toMatchObject({
      code: 'status_unreachable',
      message: expect.stringMatching(/127\.0\.0\.1:59.*ECONNREFUSED.*health port/) as unknown,
    });
    for (const [status, body, why] of [
      [404, 'nothing here', /it answers 404/],
      [200, '<html>', /not JSON/],
      [200, '{"workers":[{}]}', /is not as expected/],
    ] as const)
      await expect(readStatus(await answering(status, body))).rejects.toMatchObject({
        code: 'status_unreadable',
        message: expect.stringMatching(why) as unknown,
      });
  });

  it('is waited for no longer than the caller likes', async () => {
    const never = (): Promise<Response> => new Promise(() => undefined);
    await expect(readStatus('http://host', { fetch: never, timeoutMs: 1 })).rejects.toMatchObject({
      code: 'status_unreachable',
      message: expect.stringContaining('no answer in 1 ms') as unknown,
    });
    const signal = AbortSignal.abort();
    await expect(readStatus('http://host', { fetch: never, signal })).rejects.toMatchObject({
      code: 'aborted',
    });
  });
});
