import { spawn } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { has, installForFile, reportOf, startSite, writeModule, type Running, type Site } from './harness.js';

const { cli, cleanups } = await installForFile();
let site: Site;
let cwd: string;

beforeEach(async () => {
  site = await startSite(6, { visibilityTimeoutMs: 2_000 });
  cleanups.push(() => site.close());
  cwd = cli.work();
});

const start = (args: readonly string[], env = site.env): Running => cli.start(['run', ...args], { cwd, env });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('antenna run --attach', () => {
  const HANDLER = `import sys
from antenna_handler import attach, pipeline
def process(image): return [{"bbox": [1, 2, 30, 40], "classifications": [{"scores": [0.9, 0.1]}]}]
attach(process, sys.argv[1], wait=60, pipelines=[pipeline("spots", name="Spots", detector="spot-boxes", classifier="spot-names", labels=["Actias luna", "<b>Arctia</b> caja"])])
`;

  it('waits for a handler, works with it, and lets it go at the end', async ({ skip }) => {
    if (!(await has('python3'))) skip();
    cpSync(fileURLToPath(new URL('../../python', import.meta.url)), cwd, { recursive: true });
    writeFileSync(join(cwd, 'notebook.py'), HANDLER);
    const running = start(['--attach', 'cell.sock', '--job', String(site.job.id)]);
    await expect.poll(() => existsSync(join(cwd, 'cell.sock')), { timeout: 20_000 }).toBe(true);
    const handler = spawn('python3', ['notebook.py', join(cwd, 'cell.sock')], { cwd });
    cleanups.push(() => handler.kill('SIGKILL'));
    let words = '';
    handler.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));
    const ended = new Promise((resolve) => handler.once('close', resolve));
    const { code, stdout, stderr } = await running.finished;
    expect(code, stderr).toBe(0);
    expect(reportOf(stdout)).toMatchObject({ reason: 'drained', posted: 6 });
    site.server.settle();
    expect(site.job.counts).toMatchObject({ processed: 6, failed: 0, detections: 6, classifications: 6 });
    expect(await ended).toBe(0);
    expect(words).toContain('detached');
    expect(existsSync(join(cwd, 'cell.sock'))).toBe(false);
  }, 60_000);

  it('ends on SIGTERM while it waits for a handler that never comes', async () => {
    const running = start(['--attach', 'cell.sock']);
    await expect.poll(() => existsSync(join(cwd, 'cell.sock')), { timeout: 20_000 }).toBe(true);
    running.child.kill('SIGTERM');
    const { code, signal } = await running.finished;
    expect(signal ?? code).toBe('SIGTERM');
  });
});

describe('antenna run --start', () => {
  const SERVICE = `import { createServer } from 'node:http';
const send = (response, body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
const algorithms = [{ name: 'Spot boxes', key: 'spot-boxes', task_type: 'detection', version: 1 }];
createServer(async (request, response) => {
  if (request.url === '/info') return send(response, { name: 'Spots', description: process.env.ANTENNA_API_KEY ?? 'no key here',
    pipelines: [{ name: 'Spots', slug: 'spots', version: 1, algorithms }], algorithms: [] });
  if (request.url !== '/process') return send(response, { status: true });
  let text = '';
  for await (const chunk of request) text += chunk;
  const { pipeline, source_images } = JSON.parse(text);
  send(response, { pipeline, algorithms: {}, total_time: 0.1, detections: [], source_images: source_images.map(({ id, url }) => ({ id, url })) });
}).listen(Number(process.argv[2]), '127.0.0.1');
`;

  it('starts the service, does the job with it and ends it', async () => {
    writeFileSync(join(cwd, 'service.mjs'), SERVICE);
    const port = await freePort();
    const service = `http://127.0.0.1:${port}`;
    const command = `"${process.execPath}" service.mjs ${port}`;
    const running = start(['--start', command, '--service', service, '--job', String(site.job.id)]);
    // A service need not know the worker's key.
    const info = async (): Promise<string> => fetch(`${service}/info`).then((answer) => answer.text());
    await expect.poll(() => info().catch(() => ''), { timeout: 20_000 }).toContain('no key here');
    const { code, stderr } = await running.finished;
    expect(code, stderr).toBe(0);
    site.server.settle();
    expect(site.job.counts).toMatchObject({ processed: 6, failed: 0 });
    await expect(fetch(`${service}/livez`)).rejects.toThrow();
  }, 60_000);

  it('says what a command printed that does not serve, and ends with 1', async () => {
    writeFileSync(join(cwd, 'broken.mjs'), 'console.error("no weights at /models"); process.exit(3);');
    const port = await freePort();
    const { code, stderr } = await start([
      ...['--start', `"${process.execPath}" broken.mjs`, '--service', `http://127.0.0.1:${port}`],
    ]).finished;
    expect(stderr).toContain('no weights at /models');
    expect(code).toBe(1);
  }, 60_000);
});

describe('antenna run when the key is revoked while it works', () => {
  it('puts what cannot be posted into the spool, and the next run posts it with a new key', async () => {
    writeModule(cwd, 'await new Promise((resolve) => setTimeout(resolve, 100)); return { detections: [] };');
    const args = ['--module', 'spots.mjs', '--project', String(site.project.id), '--spool', 'spool'];
    const key = site.service.key();
    const env = { ...site.env, ANTENNA_API_KEY: key.value };
    const running = start([...args, '--grace', '2s', '--concurrency', '1'], env);
    await expect.poll(() => site.job.ledger.total('delivered'), { timeout: 20_000 }).toBeGreaterThan(0);
    key.revoke();
    await expect.poll(() => running.stderr(), { timeout: 20_000 }).toContain('posting results failed');
    running.child.kill('SIGTERM');
    const first = await running.finished;
    expect(first.code).toBe(0);
    const { taken, posted, spooled, abandoned, dropped } = reportOf(first.stdout) as Record<string, number>;
    expect(spooled).toBeGreaterThan(0);
    expect({ all: (posted ?? 0) + (spooled ?? 0) + (abandoned ?? 0), dropped }).toEqual({
      all: taken,
      dropped: 0,
    });
    const second = await start([...args, '--until', 'drained']).finished;
    expect(second.code, second.stderr).toBe(0);
    expect(reportOf(second.stdout)).toMatchObject({ replayed: spooled, dropped: 0 });
    site.server.settle();
    expect(site.job.counts).toMatchObject({ processed: 6, failed: 0 });
    for (const { stdout, stderr } of [first, second])
      for (const secret of [site.key, key.value]) expect(stdout + stderr).not.toContain(secret.slice(9, 21));
  }, 90_000);
});
