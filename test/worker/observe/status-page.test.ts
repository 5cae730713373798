import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startHealthServer, type MachineOverview, type WorkerOverview } from 'antenna-sdk';
import { generateImage } from 'antenna-sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../../support/browser.js';

const NONE = { count: 0, sumMs: 0, meanMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 };
const SOME = { ...NONE, count: 9, p50Ms: 1_234 };
/** A text that would run, were it taken for HTML anywhere. */
const EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

function worker(name: string, changes: Partial<WorkerOverview> = {}): WorkerOverview {
  const counters = { reserved: 120, succeeded: 100, failed: 2, posted: 98 } as WorkerOverview['counters'];
  return {
    ...{
      name,
      pid: 1,
      state: 'running',
      health: 'ok',
      failing: [],
      device: 'NVIDIA H100 80GB HBM3, 81559 MiB',
    },
    startedAt: new Date(Date.now() - 3_723_000).toISOString(),
    explanation:
      'spots: holding up to 16 tasks (0.42 s ± 0.06 s per task). 16 keep the model busy; the lease would allow 48.',
    perSecond: 2.4,
    counters,
    held: { count: 12, bytes: 12_000_000 },
    hold: { target: 16, bound: 'need' },
    outbox: { count: 3, bytes: 82_000, oldestAgeMs: 400 },
    spool: { files: 1, bytes: 30_000 },
    leaseSlack: { start: SOME, post: SOME },
    stages: { process: SOME, download: NONE },
    lateRatio: 0,
    jobs: [
      {
        id: 42,
        name: `Meadow, night 12 ${EVIL}`,
        pipeline: 'spots',
        open: true,
        done: 412,
        failed: 2,
        total: 1_000,
        mine: { succeeded: 100, failed: 2 },
        perSecond: 4.8,
        leftMs: 122_000,
      },
      {
        id: 41,
        name: undefined,
        pipeline: 'spots',
        open: false,
        done: undefined,
        failed: undefined,
        total: undefined,
        mine: { succeeded: 0, failed: 0 },
        perSecond: undefined,
        leftMs: undefined,
      },
    ],
    failures: [
      {
        at: new Date().toISOString(),
        jobId: 42,
        imageId: '9001',
        final: true,
        reason: `PermanentTaskError: ${EVIL}`,
      },
    ],
    images: [],
    ...changes,
  };
}

let images: Server;
let imageUrl: string;

beforeAll(async () => {
  const { bytes } = generateImage({ width: 400, height: 300 });
  images = createServer((_, response) => response.setHeader('content-type', 'image/png').end(bytes));
  await new Promise<void>((resolve) => images.listen(0, '127.0.0.1', resolve));
  imageUrl = `http://127.0.0.1:${(images.address() as AddressInfo).port}/night.png?signature=abc`;
});
afterAll(() => {
  images.closeAllConnections();
  images.close();
});

/** A page over this overview, and what a browser with it would do. */
async function serve(view: boolean, workers: readonly WorkerOverview[]) {
  let served: readonly WorkerOverview[] = workers;
  const overview = (): MachineOverview => ({
    ...{ software: 'antenna-sdk', hostname: `station ${EVIL}`, now: new Date().toISOString() },
    ...{ gpus: ['0: NVIDIA H100 80GB HBM3, 81559 MiB'], view, workers: served },
  });
  const health = () => ({ state: 'running', status: 'ok' as const, live: true, ready: true, checks: [] });
  const port = await startHealthServer({ source: { health, overview }, port: 0 });
  return {
    url: `http://${port.host}:${port.port}/`,
    close: () => port.close(),
    change: (next: readonly WorkerOverview[]) => {
      served = next;
    },
  };
}

const seen = (at: number): WorkerOverview['images'][number] => ({
  at: new Date(Date.now() - at * 1_000).toISOString(),
  jobId: 42,
  imageId: String(9_000 + at),
  url: imageUrl,
  boxes: [
    { bbox: { x1: 40, y1: 60, x2: 140, y2: 120 }, label: `Actias luna ${EVIL}`, score: 0.93 },
    { bbox: { x1: 200, y1: 150, x2: 300, y2: 220 }, label: undefined, score: undefined },
    { bbox: { x1: 350, y1: 260, x2: 400, y2: 300 }, label: 'In the corner', score: 0.5 },
    { bbox: { x1: 0, y1: 0, x2: 400, y2: 300 }, label: 'All of it', score: 0.5 },
  ],
});

/** Texts of the names that stand out of their pictures. */
const OUTSIDE = `[...document.querySelectorAll('.tag')].filter((tag) => {
  const own = tag.getBoundingClientRect(), frame = tag.parentElement.getBoundingClientRect();
  return own.left < frame.left - 1 || own.right > frame.right + 1 || own.top < frame.top - 1 || own.bottom > frame.bottom + 1;
}).map((tag) => tag.textContent)`;

describe('the status page', () => {
  it('is one file that names no other address, and a policy lets it ask its own alone', async () => {
    const { url, close } = await serve(false, [worker('worker-0')]);
    const answer = await fetch(url);
    const html = await answer.text();
    await close();
    expect(html).not.toMatch(/(?:src|href)="(?!data:)/);
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/default-src 'none'.*connect-src 'self'.*img-src data:;/);
    expect(policy).not.toMatch(/unsafe|https:/);
  });

  it('shows workers, jobs, failures and images in a browser, and runs nothing of strangers', async ({
    skip,
  }) => {
    const browser = await startBrowser();
    if (!browser) return skip();
    const { url, close, change } = await serve(true, [
      worker('worker-0', { images: [seen(1), seen(2)] }),
      worker('worker-1', {
        state: 'restarting',
        health: 'degraded',
        failing: [{ name: 'process', detail: 'ended by SIGKILL; starts again after 2.0 s' }],
        images: [seen(0)],
      }),
    ]);
    try {
      const page = await browser.context.newPage();
      const complaints: string[] = [];
      const asked: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('request', (request) => asked.push(request.url()));
      for (const [width, height, scheme] of [
        [1_200, 900, 'light'],
        [400, 800, 'dark'],
      ] as const) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme: scheme });
        await page.goto(url);
        await page.waitForSelector('figure svg rect');
        expect(
          await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'),
          `${width}`,
        ).toBe(true);
        const folder = process.env['SCREENSHOTS'];
        if (folder !== undefined)
          await page.screenshot({ path: `${folder}/status-${width}.png`, fullPage: true });
      }
      const text = (await page.innerText('body')).replaceAll('\u00a0', ' ');
      // Names stay inside of their picture, however long they are and wherever their boxes.
      expect(await page.evaluate(OUTSIDE)).toEqual([]);
      for (const part of [
        '412 of 1,000 images',
        'about 2 min 2 s left',
        '4.8/s',
        'image 9001',
        'process: ended by SIGKILL',
        'Actias luna <img',
      ])
        expect(text).toContain(part);
      expect(await page.locator('section.card').count()).toBe(2);
      expect(await page.locator('figcaption').first().innerText()).toContain('image 9000');
      // Not loaded again with each look.
      change([worker('worker-0', { images: [seen(1)] })]);
      await expect.poll(() => page.locator('section.card').count(), { timeout: 10_000 }).toBe(1);
      await close();
      await expect.poll(() => page.innerText('#away'), { timeout: 15_000 }).toMatch(/^No answer/);
      expect(await page.evaluate('window.hacked')).toBeUndefined();
      const own = new URL(url).origin;
      expect(
        asked.filter(
          (address) => !address.startsWith(own) && !address.startsWith('data:') && address !== imageUrl,
        ),
      ).toEqual([]);
      expect(complaints.filter((line) => !line.includes('ERR_CONNECTION_REFUSED'))).toEqual([]);
    } finally {
      await close();
      await browser.close();
    }
  }, 60_000);
});
