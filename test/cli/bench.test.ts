import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { installForFile, parsed, startSite, type Finished, type Site } from './harness.js';

const { cli, cleanups } = await installForFile();

async function siteOf(...options: Parameters<typeof startSite>): Promise<Site> {
  const site = await startSite(...options);
  cleanups.push(() => site.close());
  return site;
}
const bench = (site: Site, args: readonly string[], job = site.job): Promise<Finished> =>
  cli.run(['bench', '--job', String(job.id), ...args], { env: site.env });

/** An image server of one's own. */
async function imagesAt(answer: (end: (body: string) => void) => void): Promise<string> {
  const server = createServer((_, response) => {
    answer((body) => response.writeHead(500).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('antenna bench', () => {
  it('downloads each image once and answers nothing, unless told to', async () => {
    const site = await siteOf(40);
    const { code, stdout, stderr } = await bench(site, ['--tasks', '30', '--json']);
    expect(code, stderr).toBe(0);
    expect(parsed(stdout)).toMatchObject({
      ...{ ok: true, acknowledged: false, ended: 'images', images: 30, results: 30, repeats: 0 },
      ...{ failed: 0, posts: 0, posted: 0, postsPerSecond: 0, download: { count: 30 }, post: { count: 0 } },
    });
    const { imageBytes, download, imagesPerSecond, bytesPerSecond } = parsed(stdout) as Record<
      'imageBytes' | 'imagesPerSecond' | 'bytesPerSecond',
      number
    > & { download: { p50Ms: number; p95Ms: number; p99Ms: number } };
    expect(imageBytes).toBeGreaterThan(30 * 100);
    expect(bytesPerSecond / imagesPerSecond).toBeCloseTo(imageBytes / 30);
    expect(download.p50Ms).toBeGreaterThan(0);
    expect(download.p99Ms).toBeGreaterThanOrEqual(download.p50Ms);
    // No task was taken that was not wanted: each costs one of its deliveries.
    expect(site.job.ledger.total('delivered')).toBe(30);
    expect(site.job.counts).toMatchObject({ processed: 0, failed: 0 });
    expect(stderr).toMatch(/come back after their lease of 30 s, each with one of its 5 deliveries used up/);
  });

  it('answers every task with --ack, and says before what that does to the job', async () => {
    const site = await siteOf(20);
    const { code, stdout, stderr } = await bench(site, ['--ack', '--max-batch-size', '4']);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^Job \d+, acknowledged$/m);
    expect(stdout).toMatch(/images +20 +[\d.]+ a second/);
    expect(stdout).toMatch(/posts +\d+ +[\d.]+ a second, 20 results/);
    for (const stage of ['reserve', 'download', 'post'])
      expect(stdout).toMatch(new RegExp(`${stage} +\\d+ +[\\d.]+ ms`));
    expect(stderr).toMatch(/warning: --ack uses the job up/);
    site.server.settle();
    expect(site.job.counts).toMatchObject({ processed: 20, failed: 0, detections: 0 });
  });

  it('counts tasks that come again apart, and ends when there are no others', async () => {
    const site = await siteOf(12, { visibilityTimeoutMs: 300 });
    const { code, stdout } = await bench(site, ['--tasks', '500', '--json']);
    expect(code).toBe(0);
    const { images, repeats, results } = parsed(stdout) as Record<'images' | 'repeats' | 'results', number>;
    expect(images).toBe(12);
    expect(results).toBe(12 + repeats);
    expect(['repeats', 'empty']).toContain(parsed(stdout)['ended']);
    expect(images + repeats).toBe(site.job.ledger.total('delivered'));
  });

  it('ends with --max-time and on Ctrl-C, though the images never come', async () => {
    const site = await siteOf();
    const origin = await imagesAt(() => undefined);
    const stuck = site.project.job({ pipeline: { id: 1 }, images: [`${origin}/1.jpg`, `${origin}/2.jpg`] });
    const { code, stdout } = await bench(site, ['--max-time', '500ms', '--json'], stuck);
    expect(code).toBe(1);
    expect(parsed(stdout)).toMatchObject({ ok: false, ended: 'stopped', images: 0, failed: 0 });
    const again = site.project.job({ pipeline: { id: 1 }, images: [`${origin}/3.jpg`] });
    const running = cli.start(['bench', '--job', String(again.id), '--json'], { env: site.env });
    await expect.poll(() => again.ledger.total('delivered'), { timeout: 15_000 }).toBe(1);
    running.child.kill('SIGINT');
    const { code: interrupted, stdout: document } = await running.finished;
    expect(interrupted).toBe(1);
    expect(parsed(document)).toMatchObject({ ended: 'stopped' });
  });

  it('counts images that cannot be downloaded, with the reason and no address', async () => {
    const site = await siteOf();
    const origin = await imagesAt((end) => {
      end('broken');
    });
    const broken = site.project.job({ pipeline: { id: 1 }, images: [`${origin}/1.jpg?signature=abc`] });
    const { code, stdout, stderr } = await bench(site, ['--tasks', '1'], broken);
    expect(code).toBe(1);
    expect(stdout).toMatch(/failed +1 +images that could not be downloaded/);
    expect(stdout).toContain('1 times: image download failed: the image server answered 500');
    expect(stdout + stderr).not.toMatch(/signature|127\.0\.0\.1/);
  });

  it('says that a job gave nothing, and ends with 1', async () => {
    const site = await siteOf();
    site.job.cancel();
    const { code, stderr } = await bench(site, []);
    expect(code).toBe(1);
    expect(stderr).toMatch(/gave no task/);
  });

  it.each([
    [[], /--job must be the id of a job/],
    [['--job', 'moths'], /--job must be the id of a job/],
    [['--job', '1', '--tasks', '0'], /--tasks must be a whole number/],
    [['--job', '1', '--downloads', 'many'], /--downloads must be a whole number/],
    [['--job', '1', '--max-time', 'soon'], /--max-time must be a time/],
  ])('refuses %j with 2', async (args, message) => {
    const { code, stderr } = await cli.run(['bench', ...args], { env: { ANTENNA_API_URL: 'http://host' } });
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
