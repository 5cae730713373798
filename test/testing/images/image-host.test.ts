import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import sharp from 'sharp';
import { createImageHost, generateImage } from '../../../src/testing/index.js';
import type { ImageHost } from '../../../src/testing/index.js';

const open: ImageHost[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((host) => host.close()));
});

function newHost(): ImageHost {
  const host = createImageHost();
  open.push(host);
  return host;
}

describe('generated images', () => {
  it('are real images with dark spots where they say', async () => {
    const { bytes, insects, width, height } = generateImage({ width: 200, height: 120, insects: 2, seed: 5 });
    const { data, info } = await sharp(bytes).greyscale().raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([width, height]);
    expect(insects).toHaveLength(2);
    for (const { x1, y1, x2, y2 } of insects) {
      const centre = Math.floor((y1 + y2) / 2) * width + Math.floor((x1 + x2) / 2);
      expect(data[centre]).toBeLessThan(80);
    }
    expect(data[0]).toBeGreaterThan(200);
  });

  it('are the same for the same seed', () => {
    expect(generateImage({ seed: 2 }).bytes.equals(generateImage({ seed: 2 }).bytes)).toBe(true);
    expect(generateImage({ seed: 2 }).bytes.equals(generateImage({ seed: 3 }).bytes)).toBe(false);
  });
});

describe('serving', () => {
  it.each(['fetch', 'socket'] as const)(
    'gives what was added, with its type and length, over a %s',
    async (way) => {
      const host = newHost();
      if (way === 'socket') await host.listen();
      const url = host.add('night/one.jpg', Uint8Array.of(1, 2, 3));
      const answer = await (way === 'fetch' ? host.fetch(url) : fetch(url));
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('image/jpeg');
      expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([1, 2, 3]);
      expect(host.requests).toMatchObject([{ method: 'GET', path: '/night/one.jpg', status: 200 }]);
    },
  );

  it('reads a file anew for each download, and a folder by name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'antenna-images-'));
    try {
      writeFileSync(join(folder, 'b.png'), 'first');
      writeFileSync(join(folder, 'a b.jpg'), 'other');
      writeFileSync(join(folder, 'notes.txt'), 'no image');
      const host = newHost();
      const urls = host.addFolder(folder);
      expect(urls).toHaveLength(2);
      writeFileSync(join(folder, 'b.png'), 'second');
      expect(await (await host.fetch(urls[1] ?? '')).text()).toBe('second');
      expect(await (await host.fetch(urls[0] ?? '')).text()).toBe('other');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('answers 404 for what it does not have', async () => {
    const host = newHost();
    expect((await host.fetch(host.url('nothing.png'))).status).toBe(404);
  });

  it('points its URLs at the socket once it listens', async () => {
    const host = newHost();
    host.generate();
    expect(host.urls).toEqual(['https://images.example/generated/1.png']);
    const listener = await host.listen();
    expect(host.urls).toEqual([`${listener.origin}/generated/1.png`]);
  });
});

describe('misbehaving', () => {
  it('fails, and only for the images it is told', async () => {
    const host = newHost();
    const [good, bad] = [host.generate().url, host.generate().url];
    host.faults.answer({ status: 403, body: 'expired' }, { path: new URL(bad).pathname });
    expect((await host.fetch(good)).status).toBe(200);
    expect((await host.fetch(bad)).status).toBe(403);
  });

  it.each(['fetch', 'socket'] as const)('cuts a download in the middle, over a %s', async (way) => {
    const host = newHost();
    if (way === 'socket') await host.listen();
    const { url } = host.generate();
    host.faults.truncateBody();
    const answer = await (way === 'fetch' ? host.fetch(url) : fetch(url));
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });

  it.each(['fetch', 'socket'] as const)('promises more bytes than it sends, over a %s', async (way) => {
    const host = newHost();
    if (way === 'socket') await host.listen();
    const { url, bytes } = host.generate();
    host.faults.lieAboutLength(bytes.length + 100);
    const answer = await (way === 'fetch' ? host.fetch(url) : fetch(url));
    expect(answer.headers.get('content-length')).toBe(String(bytes.length + 100));
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });

  it.each(['fetch', 'socket'] as const)('promises fewer bytes than the image has, over a %s', async (way) => {
    const host = newHost();
    if (way === 'socket') await host.listen();
    const { url } = host.generate();
    host.faults.lieAboutLength(50);
    const answer = await (way === 'fetch' ? host.fetch(url) : fetch(url));
    expect((await answer.arrayBuffer()).byteLength).toBe(50);
  });

  it('lies about the type, and sends a page in place of an image', async () => {
    const host = newHost();
    const { url } = host.generate();
    host.faults.lieAboutType('text/plain', { times: 1 });
    expect((await host.fetch(url)).headers.get('content-type')).toBe('text/plain');
    host.faults.corrupt();
    const page = await host.fetch(url);
    expect(page.headers.get('content-type')).toBe('image/png');
    expect(await page.text()).toContain('<html>');
  });
});
