import { inspect } from 'node:util';
import { AntennaClient, PermanentTaskError, type FetchLike } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { imagePlace, isHostPattern, withoutUrls } from '../../../src/worker/images/image-url.js';
import { resolveWorkerOptions } from '../../../src/worker/run/options.js';
import { KEY } from '../../support/calls.js';
import {
  closeImageServers,
  downloader,
  imageAt,
  imageServer,
  never,
  viaFetch,
} from '../../support/image-server.js';
import { pipelineDefinition } from '../../support/pipelines.js';

afterEach(closeImageServers);

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
const withUser = (url: string, user: string): string => url.replace('//', `//${user}@`);

describe.each([
  ['undici', undefined],
  ['fetch', viaFetch],
])('an image’s URL with a user and password, over %s', (_, fetchLike) => {
  it('is asked for with Basic authentication', async () => {
    const seen: (string | undefined)[] = [];
    const url = await imageServer(({ headers, url: path }, response) => {
      seen.push(headers.authorization, path);
      response.end('pixels');
    });
    await downloader({}, fetchLike).download(imageAt(withUser(`${url}/a.jpg`, 'ann:p%40ss%C3%A9')), never);
    expect(seen).toEqual([basic('ann:p@ssé'), '/a.jpg']);
  });

  it('shows them to its own origin only, redirects included', async () => {
    const seen: string[] = [];
    const elsewhere = await imageServer(({ headers, url: path }, response) => {
      seen.push(`elsewhere${path} ${headers.authorization}`);
      response.end('pixels');
    });
    const url = await imageServer(({ headers, url: path }, response) => {
      seen.push(`own${path} ${headers.authorization}`);
      const location = path === '/first' ? '/second' : withUser(`${elsewhere}/third`, 'eve:theirs');
      response.writeHead(302, { location }).end();
    });
    await downloader({}, fetchLike).download(imageAt(withUser(`${url}/first`, 'ann:pass')), never);
    expect(seen).toEqual([
      `own/first ${basic('ann:pass')}`,
      `own/second ${basic('ann:pass')}`,
      'elsewhere/third undefined',
    ]);
  });

  it('never has them in an error', async () => {
    const url = await imageServer((_request, response) => {
      response.writeHead(401).end();
    });
    const places = [url, 'http://127.0.0.1:1', 'ftp://127.0.0.1'];
    for (const place of places) {
      const failed = downloader({ attempts: 1 }, fetchLike).download(
        imageAt(withUser(`${place}/a?sig=signature`, 'ann:passw0rd')),
        never,
      );
      const error: unknown = await failed.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(
        /passw0rd|signature|YW5uOnBhc3N3MHJk/,
      );
    }
  });
});

it('keeps the URL that a fetch of the user’s quotes out of the error', async () => {
  const quoting: FetchLike = (input) => Promise.reject(new Error(`cannot reach "${input}", sorry`));
  const failed = downloader({}, quoting).download(imageAt('https://h.example/a?X-Amz-Signature=abc'), never);
  await expect(failed).rejects.toThrow('cannot reach "[url]", sorry');
  expect(withoutUrls('a https://h/x?y=1 b HTTP://h/z')).toBe('a [url] b [url]');
});

it('takes a percent sign that begins no escape for itself', () => {
  expect(imagePlace('http://ann:50%@h.example/').authorization).toBe(basic('ann:50%'));
  expect(imagePlace('http://h.example/').authorization).toBeUndefined();
});

describe('download.hosts', () => {
  it.each([
    ['images.example.org', 'https://images.example.org/a', true],
    ['IMAGES.example.org', 'https://images.example.org./a', true],
    ['images.example.org', 'https://images.example.org.evil.example/a', false],
    ['images.example.org', 'https://x.images.example.org/a', false],
    ['*.example.org', 'https://a.b.example.org/a', true],
    ['*.example.org', 'https://example.org/a', false],
    ['*.example.org', 'https://evilexample.org/a', false],
    ['images.example.org:8443', 'https://images.example.org:8443/a', true],
    ['images.example.org:8443', 'https://images.example.org/a', false],
    ['images.example.org:443', 'https://images.example.org/a', true],
    ['images.example.org:443', 'http://images.example.org/a', false],
    ['10.0.0.5', 'http://10.0.0.5:9000/a', true],
    ['10.0.0.5', 'http://167772165/a', true],
    ['[fd00::5]', 'http://[fd00:0::5]/a', true],
    ['images.example.org', 'https://images.example.org@evil.example/a', false],
  ])('%s, asked for %s: %s', async (pattern, url, allowed) => {
    const answer: FetchLike = () => Promise.resolve(new Response(Buffer.from('pixels')));
    const asked = downloader({ hosts: ['other.example', pattern] }, answer).download(imageAt(url), never);
    if (allowed) await expect(asked).resolves.toMatchObject({ bytes: Buffer.from('pixels') });
    else {
      await expect(asked).rejects.toThrow(PermanentTaskError);
      await expect(asked).rejects.toThrow('download.hosts; add it there');
    }
  });

  it.each([
    'https://images.example.org',
    'a/b',
    '*',
    'a b',
    '',
    'user@host',
    'host:',
    'host:99999',
    '*.*.org',
  ])('refuses %j as no host', (pattern) => {
    expect(isHostPattern(pattern)).toBe(false);
  });

  it('holds after a redirect, and the other host is never asked', async () => {
    let asked = 0;
    const elsewhere = await imageServer((_request, response) => {
      asked += 1;
      response.end('pixels');
    });
    const url = await imageServer((_request, response) => {
      response.writeHead(302, { location: elsewhere.replace('127.0.0.1', 'localhost') }).end();
    });
    const failed = downloader({ hosts: ['127.0.0.1'] }).download(imageAt(url), never);
    await expect(failed).rejects.toThrow(/localhost:\d+ is not among the worker's download.hosts/);
    expect(asked).toBe(0);
  });
});

describe('download.publicOnly', () => {
  it.each(['127.0.0.1', 'localhost', '2130706433', '[::ffff:127.0.0.1]'])(
    'refuses %s before anything is sent, and says what to set',
    async (host) => {
      let asked = 0;
      const url = await imageServer((_request, response) => {
        asked += 1;
        response.end('pixels');
      });
      const place = imageAt(url.replace('127.0.0.1', host));
      const failed = downloader({ publicOnly: true }).download(place, never);
      await expect(failed).rejects.toThrow(PermanentTaskError);
      await expect(failed).rejects.toThrow("the worker's download.publicOnly refuses; set it to false");
      expect(asked).toBe(0);
    },
  );

  it('is off unless asked for', async () => {
    const url = await imageServer((_request, response) => {
      response.end('pixels');
    });
    await expect(downloader().download(imageAt(url), never)).resolves.toBeDefined();
  });

  it.each([
    ['a proxy', { download: { publicOnly: true, proxy: 'http://proxy.example:3128' } }, /through a proxy/],
    ['the client’s proxy', { download: { publicOnly: true } }, /through a proxy/],
    [
      'a fetch',
      { download: { publicOnly: true, proxy: false as const }, fetch: viaFetch },
      /a fetch of your own/,
    ],
  ])('is refused together with %s, where it would guard nothing', (_, options, words) => {
    const proxy = 'http://proxy.example:3128';
    const client = new AntennaClient({ baseUrl: 'http://127.0.0.1:9', apiKey: KEY, proxy });
    const resolve = () => resolveWorkerOptions({ client, pipelines: [pipelineDefinition()], ...options });
    expect(resolve).toThrow(/download\.publicOnly: cannot be checked/);
    expect(resolve).toThrow(words);
  });
});
