import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PermanentTaskError, RetryableTaskError, systemClock, type FetchLike } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { Downloader } from '../../src/worker/download.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
const closers: (() => Promise<void>)[] = [];

async function imageServer(handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function downloader(limits = {}, fetch?: FetchLike): Downloader {
  const made = new Downloader({
    clock: systemClock,
    random: () => 0,
    limits: { attempts: 2, ...limits },
    fetch,
  });
  closers.push(() => made.close());
  return made;
}

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const never = new AbortController().signal;
const viaFetch: FetchLike = (input, init) => fetch(input, init);

describe.each([
  ['undici', undefined],
  ['fetch', viaFetch],
])('Downloader over %s', (_, fetchLike) => {
  it('returns bytes and type, and sends no credential', async () => {
    let headers: NodeJS.Dict<string | string[]> = {};
    const url = await imageServer((request, response) => {
      headers = request.headers;
      response.writeHead(200, { 'content-type': 'image/jpeg' }).end('pixels');
    });
    const image = await downloader({}, fetchLike).download(`${url}/a.jpg`, never);
    expect(image.bytes.toString()).toBe('pixels');
    expect(image.contentType).toBe('image/jpeg');
    expect(headers['authorization']).toBeUndefined();
    expect(headers['cookie']).toBeUndefined();
  });

  it('calls a missing image permanent, after one request', async () => {
    let requests = 0;
    const url = await imageServer((_request, response) => {
      requests += 1;
      response.writeHead(404).end('gone');
    });
    await expect(downloader({}, fetchLike).download(url, never)).rejects.toThrow(PermanentTaskError);
    expect(requests).toBe(1);
  });

  it('tries a 503 again, and calls it passing when it stays', async () => {
    let requests = 0;
    const url = await imageServer((_request, response) => {
      requests += 1;
      if (requests === 2) response.end('pixels');
      else response.writeHead(503).end();
    });
    const image = await downloader({}, fetchLike).download(url, never);
    expect(image.bytes.toString()).toBe('pixels');
    await expect(downloader({ attempts: 1 }, fetchLike).download(url, never)).rejects.toThrow(
      RetryableTaskError,
    );
  });

  it('never takes half an image for a whole one', async () => {
    const url = await imageServer((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half');
      setImmediate(() => response.destroy());
    });
    await expect(downloader({}, fetchLike).download(url, never)).rejects.toThrow(RetryableTaskError);
  });

  it('stops reading an image over the limit', async () => {
    const url = await imageServer((_request, response) => response.end(Buffer.alloc(2_000)));
    await expect(downloader({ maxBytes: 1_000 }, fetchLike).download(url, never)).rejects.toThrow(
      'larger than 1000 bytes',
    );
  });

  it('ends a stalled body at its deadline', async () => {
    const url = await imageServer((_request, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('a');
    });
    await expect(downloader({ timeoutMs: 30, attempts: 1 }, fetchLike).download(url, never)).rejects.toThrow(
      'no whole answer in 30 ms',
    );
  });

  it('follows redirects up to the limit, and never to a file', async () => {
    const url = await imageServer((request, response) => {
      if (request.url === '/start') response.writeHead(302, { location: '/end' }).end();
      else if (request.url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else response.end('pixels');
    });
    const made = downloader({}, fetchLike);
    expect((await made.download(`${url}/start`, never)).bytes.toString()).toBe('pixels');
    await expect(made.download(`${url}/file`, never)).rejects.toThrow('file: URLs are not downloaded');
    await expect(made.download(`${url}/loop`, never)).rejects.toThrow('too many redirects');
  });

  it('gives up at once with the signal’s reason when aborted', async () => {
    const url = await imageServer(() => undefined);
    const controller = new AbortController();
    const reason = new Error('enough');
    const pending = downloader({}, fetchLike).download(url, controller.signal);
    setImmediate(() => {
      controller.abort(reason);
    });
    await expect(pending).rejects.toBe(reason);
  });
});

describe('Downloader', () => {
  it.each(['ftp://h/x', 'file:///etc/passwd', 'data:image/png;base64,AAAA', 'not a url'])(
    'refuses %s',
    async (url) => {
      await expect(downloader().download(url, never)).rejects.toThrow(PermanentTaskError);
    },
  );
});
