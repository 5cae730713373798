import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MachineOverview } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { has, installForFile, startSite, writeModule } from './harness.js';

const { cli, cleanups } = await installForFile();

/** A fleet of two that works on nothing, and the address of its port. */
async function startFleet(): Promise<string> {
  const site = await startSite(3);
  cleanups.push(() => site.close());
  const cwd = cli.work();
  writeModule(cwd);
  const args = ['run', '--module', 'spots.mjs', '--workers', '2', '--port', '0'];
  const running = cli.start(args, { cwd, env: site.env });
  await expect.poll(() => running.stderr(), { timeout: 20_000 }).toContain('status page: ');
  const url = /status page: (\S+)/.exec(running.stderr())?.[1] ?? '';
  const seen = async (): Promise<unknown> => {
    const { workers } = (await (await fetch(`${url}status.json`)).json()) as MachineOverview;
    return workers.map(({ state, counters }) => [state, counters.posted]);
  };
  await expect
    .poll(async () => JSON.stringify(await seen()), { timeout: 30_000 })
    .toMatch(/^\[\["running",(\d)\],\["running",(\d)\]\]$/);
  return url;
}

/** Something that looks like a worker whose texts are hostile. */
async function standIn(): Promise<{ readonly url: string; readonly server: Server }> {
  const machine = {
    ...{ software: 'antenna-sdk', hostname: 'station\u001b[2J', now: new Date(0).toISOString(), gpus: [] },
    view: false,
    workers: [],
  };
  const server = createServer((_, response) => response.end(JSON.stringify(machine)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  cleanups.push(close);
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

describe('antenna top', () => {
  it('prints one snapshot of a fleet without a terminal, and lines of JSON with --json', async () => {
    const url = await startFleet();
    const { code, stdout } = await cli.run(['top', url]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/· 2 workers ·/);
    for (const name of ['worker-0', 'worker-1'])
      expect(stdout).toMatch(new RegExp(`● ${name} running · .* done · .* in hand`));
    expect(stdout).not.toContain('\u001b');
    const lines = cli.start(['top', url, '--json', '--every', '100ms']);
    await expect.poll(() => lines.stdout().split('\n').length, { timeout: 15_000 }).toBeGreaterThan(3);
    lines.child.kill('SIGTERM');
    const finished = await lines.finished;
    expect(finished.code).toBe(0);
    for (const line of finished.stdout.trim().split('\n'))
      expect((JSON.parse(line) as MachineOverview).workers.length).toBe(2);
    const once = await cli.run(['top', url, '--json', '--once']);
    expect((JSON.parse(once.stdout) as MachineOverview).workers.map(({ name }) => name)).toEqual([
      'worker-0',
      'worker-1',
    ]);
  }, 60_000);

  it('is a live view on a terminal, outlives the worker’s absence, and ends with Ctrl-C', async ({
    skip,
  }) => {
    if (!(await has('python3'))) skip();
    const { url, server } = await standIn();
    const running = cli.start(['top', url, '--every', '100ms'], { terminal: true });
    await expect.poll(() => running.stdout(), { timeout: 15_000 }).toContain('Ctrl-C ends this view');
    expect(running.stdout()).toContain('station');
    expect(running.stdout()).not.toContain('station\u001b[2J');
    server.close();
    server.closeAllConnections();
    await expect.poll(() => running.stdout(), { timeout: 15_000 }).toMatch(/what is above is .* old/);
    running.child.stdin?.write('\u0003');
    expect((await running.finished).code).toBe(0);
  });

  it.each([
    [
      'nothing answers',
      ['127.0.0.1:59'],
      3,
      /No worker answers at http:\/\/127\.0\.0\.1:59\/status\.json \(.*ECONNREFUSED/,
    ],
    ['the address is none', ['http://'], 2, /such as http:\/\/10\.0\.0\.7:8080/],
    ['the address has a password', ['http://me:hush-hush@127.0.0.1:59'], 2, /without user and password/],
    ['the time is none', ['127.0.0.1:59', '--every', 'now'], 2, /--every must be a time/],
  ])('says so when %s', async (_title, args, expected, message) => {
    const { code, stdout, stderr } = await cli.run(['top', ...args]);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).not.toContain('hush-hush');
  });

  it('says that another server is no worker', async () => {
    const site = await startSite();
    cleanups.push(() => site.close());
    const { code, stderr } = await cli.run(['top', site.url]);
    expect(stderr).toMatch(/is no worker's health port: it answers 404/);
    expect(code).toBe(3);
  });
});
