import { RetryableTaskError } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import {
  closeImageServers,
  downloader,
  imageAt,
  imageServer,
  never,
  viaFetch,
} from '../../support/image-server.js';

afterEach(closeImageServers);

describe.each([
  ['undici', undefined],
  ['fetch', viaFetch],
])('what counts as an image, over %s', (_, fetchLike) => {
  it('never takes a part of an image for the whole: 206 is tried again', async () => {
    let requests = 0;
    const url = await imageServer((_request, response) => {
      requests += 1;
      if (requests % 2 === 0) response.end('all of the pixels');
      else
        response
          .writeHead(206, { 'content-type': 'image/jpeg', 'content-range': 'bytes 0-5/17' })
          .end('all of');
    });
    const image = await downloader({}, fetchLike).download(imageAt(url), never);
    expect([image.bytes.toString(), requests]).toEqual(['all of the pixels', 2]);
    const failed = downloader({ attempts: 1 }, fetchLike).download(imageAt(url), never);
    await expect(failed).rejects.toThrow(RetryableTaskError);
    await expect(failed).rejects.toThrow('answered 206, a part of the image');
  });

  it.each([202, 204])('takes no %i for an image', async (status) => {
    const url = await imageServer((_request, response) => {
      response.writeHead(status).end();
    });
    const failed = downloader({}, fetchLike).download(imageAt(url), never);
    await expect(failed).rejects.toThrow(`answered ${status}`);
    await expect(failed).rejects.toThrow(RetryableTaskError);
  });

  it.each([
    'text/html; charset=utf-8',
    'text/plain',
    'text/xml',
    'application/json',
    'application/problem+json',
    'Application/XML',
    'application/xhtml+xml',
  ])('takes no page for an image: %s is tried again, then named', async (type) => {
    let requests = 0;
    const url = await imageServer((_request, response) => {
      requests += 1;
      response.writeHead(200, { 'content-type': type }).end('<h1>Log in</h1>');
    });
    const failed = downloader({}, fetchLike).download(imageAt(url), never);
    await expect(failed).rejects.toThrow(RetryableTaskError);
    await expect(failed).rejects.toThrow(`the answer is ${type.split(';')[0]?.toLowerCase()}, not an image`);
    await expect(failed).rejects.toThrow('download.contentTypes');
    await expect(failed).rejects.not.toThrow(/Log in/);
    expect(requests).toBe(2);
  });

  it.each(['image/svg+xml', 'application/octet-stream', 'binary/octet-stream', undefined])(
    'takes what may be an image: %s',
    async (type) => {
      const url = await imageServer((_request, response) => {
        if (type !== undefined) response.setHeader('content-type', type);
        response.end('pixels');
      });
      const image = await downloader({}, fetchLike).download(imageAt(url), never);
      expect(image.bytes.toString()).toBe('pixels');
    },
  );

  it.each([['text/plain'], ['text/*'], ['*/*']])('takes what contentTypes say: %s', async (wanted) => {
    const url = await imageServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('P3 1 1 255 0 0 0');
    });
    const image = await downloader({ contentTypes: [wanted] }, fetchLike).download(imageAt(url), never);
    expect(image.bytes.toString()).toContain('P3');
  });
});
