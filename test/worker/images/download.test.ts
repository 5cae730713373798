import { createHash } from 'node:crypto';
import { AntennaClient, PermanentTaskError, RetryableTaskError, type Task } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import type { Checksum } from '../../../src/worker/images/image-check.js';
import { resolveWorkerOptions } from '../../../src/worker/run/options.js';
import { KEY } from '../../support/calls.js';
import {
  closeImageServers,
  downloader,
  imageAt as at,
  imageServer,
  never,
  viaFetch,
} from '../../support/image-server.js';
import { pipelineDefinition } from '../../support/pipelines.js';
import { tunnelProxy } from '../../support/tunnel-proxy.js';

afterEach(closeImageServers);

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
    const image = await downloader({}, fetchLike).download(at(`${url}/a.jpg`), never);
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
    await expect(downloader({}, fetchLike).download(at(url), never)).rejects.toThrow(PermanentTaskError);
    expect(requests).toBe(1);
  });

  it.each([
    [404, PermanentTaskError],
    [503, RetryableTaskError],
  ])('judges a %i by its status, although its page never ends or is too large', async (status, kind) => {
    const url = await imageServer((request, response) => {
      response.writeHead(status);
      if (request.url === '/large') response.end('x'.repeat(5_000));
      else response.write('and then');
    });
    const loader = downloader({ maxBytes: 1_000 }, fetchLike);
    await expect(loader.download(at(`${url}/stalls`), never)).rejects.toThrow(kind);
    await expect(loader.download(at(`${url}/large`), never)).rejects.toThrow(kind);
    await expect(loader.download(at(`${url}/large`), never)).rejects.toThrow(`answered ${status}`);
  });

  it('follows a redirect whose page never ends', async () => {
    const url = await imageServer((request, response) => {
      if (request.url === '/there') response.end('pixels');
      else response.writeHead(302, { location: '/there' }).write('moved');
    });
    const image = await downloader({}, fetchLike).download(at(`${url}/here`), never);
    expect(image.bytes.toString()).toBe('pixels');
  });

  it('tries a 503 again, and calls it passing when it stays', async () => {
    let requests = 0;
    const url = await imageServer((_request, response) => {
      requests += 1;
      if (requests === 2) response.end('pixels');
      else response.writeHead(503).end();
    });
    const image = await downloader({}, fetchLike).download(at(url), never);
    expect(image.bytes.toString()).toBe('pixels');
    await expect(downloader({ attempts: 1 }, fetchLike).download(at(url), never)).rejects.toThrow(
      RetryableTaskError,
    );
  });

  it('never takes half an image for a whole one', async () => {
    const url = await imageServer((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half');
      setImmediate(() => response.destroy());
    });
    await expect(downloader({}, fetchLike).download(at(url), never)).rejects.toThrow(RetryableTaskError);
  });

  it('stops reading an image over the limit', async () => {
    const url = await imageServer((_request, response) => response.end(Buffer.alloc(2_000)));
    await expect(downloader({ maxBytes: 1_000 }, fetchLike).download(at(url), never)).rejects.toThrow(
      'larger than 1000 bytes',
    );
  });

  it('ends a stalled body at its deadline', async () => {
    const url = await imageServer((_request, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('a');
    });
    await expect(
      downloader({ timeoutMs: 30, attempts: 1 }, fetchLike).download(at(url), never),
    ).rejects.toThrow('no whole answer in 30 ms');
  });

  it('takes a page that is not an image for a passing fault, and tries again', async () => {
    let requests = 0;
    const url = await imageServer((_request, response) => {
      requests += 1;
      const page = requests === 1;
      response.setHeader('content-type', page ? 'text/html; charset=utf-8' : 'IMAGE/JPEG; q=1');
      response.end(page ? '<h1>Maintenance</h1>' : 'pixels');
    });
    const image = await downloader({ contentTypes: ['image/*'] }, fetchLike).download(at(url), never);
    expect([image.bytes.toString(), requests]).toEqual(['pixels', 2]);
    await expect(
      downloader({ contentTypes: ['image/png', 'image/webp'] }, fetchLike).download(at(url), never),
    ).rejects.toThrow('the answer is image/jpeg, not image/png or image/webp');
  });

  it('compares the checksum that the caller knows, and tries again when the bytes differ', async () => {
    let requests = 0;
    const url = await imageServer((_request, response) => {
      requests += 1;
      response.end(requests === 1 ? 'pixelz' : 'pixels');
    });
    const hex = createHash('sha256').update('pixels').digest('hex').toUpperCase();
    const checksum = ({ image_id }: Task): Checksum | undefined =>
      image_id === '1' ? { algorithm: 'sha256', hex } : undefined;
    const image = await downloader({ checksum }, fetchLike).download(at(url), never);
    expect([image.bytes.toString(), requests]).toEqual(['pixels', 2]);
    const other = { ...at(url), image_id: '2' };
    await expect(downloader({ checksum }, fetchLike).download(other, never)).resolves.toBeDefined();
    const wrong = (): Checksum => ({ algorithm: 'sha256', hex: '00' });
    const failed = downloader({ checksum: wrong }, fetchLike).download(at(url), never);
    await expect(failed).rejects.toThrow(RetryableTaskError);
    await expect(failed).rejects.toThrow(/its sha256 is [\da-f]{64}, not 00/);
  });

  it('follows redirects up to the limit, and never to a file', async () => {
    const url = await imageServer((request, response) => {
      if (request.url === '/start') response.writeHead(302, { location: '/end' }).end();
      else if (request.url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else response.end('pixels');
    });
    const made = downloader({}, fetchLike);
    expect((await made.download(at(`${url}/start`), never)).bytes.toString()).toBe('pixels');
    await expect(made.download(at(`${url}/file`), never)).rejects.toThrow('file: URLs are not downloaded');
    await expect(made.download(at(`${url}/loop`), never)).rejects.toThrow('too many redirects');
  });

  it('gives up at once with the signal’s reason when aborted', async () => {
    const url = await imageServer(() => undefined);
    const controller = new AbortController();
    const reason = new Error('enough');
    const pending = downloader({}, fetchLike).download(at(url), controller.signal);
    setImmediate(() => {
      controller.abort(reason);
    });
    await expect(pending).rejects.toBe(reason);
  });
});

describe('Downloader', () => {
  it.each([{ algorithm: 'crc99', hex: '00' }, { algorithm: 'sha256', hex: 'base64==' }, 'abcd'])(
    'calls a checksum that cannot be computed the mistake that it is: %j',
    async (checksum) => {
      const limits = { checksum: () => checksum as Checksum };
      const failed = downloader(limits).download(at('http://127.0.0.1:1/'), never);
      await expect(failed).rejects.toThrow('with a hash that Node knows');
    },
  );

  it.each(['ftp://h/x', 'file:///etc/passwd', 'data:image/png;base64,AAAA', 'not a url'])(
    'refuses %s',
    async (url) => {
      await expect(downloader().download(at(url), never)).rejects.toThrow(PermanentTaskError);
    },
  );
});

describe('the proxy of image downloads', () => {
  it.each([
    ['is the client’s', {}, 1],
    ['is the client’s unless another is given', { proxy: undefined }, 1],
    ['can be none', { proxy: false as const }, 0],
  ])('%s', async (_, download, requests) => {
    const proxy = await tunnelProxy();
    const client = new AntennaClient({
      baseUrl: 'http://127.0.0.1:9',
      apiKey: KEY,
      proxy: `http://${proxy.address}`,
    });
    const { download: limits } = resolveWorkerOptions({
      client,
      pipelines: [pipelineDefinition()],
      download,
    });
    const url = await imageServer((_request, response) => {
      response.end('pixels');
    });
    const image = await downloader(limits).download(at(`${url}/a.jpg`), never);
    expect(image.bytes.toString()).toBe('pixels');
    // By its whole address: proxies refuse tunnels to other ports than that of https.
    expect(proxy.seen.map(({ url: asked }) => asked)).toEqual(Array(requests).fill(`${url}/a.jpg`));
    proxy.close();
  });

  it.each(['proxy:3128', 'ftp://secret@proxy', '', 5])(
    'is refused when it is none, without being quoted: %s',
    (proxy) => {
      const client = new AntennaClient({ baseUrl: 'http://127.0.0.1:9', apiKey: KEY });
      const download = { proxy: proxy as string };
      const resolve = () => resolveWorkerOptions({ client, pipelines: [pipelineDefinition()], download });
      expect(resolve).toThrow(/download\.proxy: must be a URL/);
      expect(resolve).not.toThrow(/secret/);
    },
  );
});
