import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { has, installForFile, reportOf, startSite, writeModule, type Running, type Site } from './harness.js';

const { cli, cleanups } = await installForFile();
let site: Site;
let cwd: string;

beforeEach(async () => {
  site = await startSite(6);
  cleanups.push(() => site.close());
  cwd = cli.work();
  writeModule(cwd);
});

const start = (args: readonly string[], how: Parameters<typeof cli.start>[1] = {}): Running =>
  cli.start(['run', ...args], { cwd, env: site.env, ...how });
const pageOf = async (running: Running): Promise<string> => {
  await expect.poll(() => running.stderr(), { timeout: 15_000 }).toContain('status page: ');
  return /status page: (\S+)/.exec(running.stderr())?.[1] ?? '';
};
const status = async (page: string): Promise<Machine> =>
  (await (await fetch(`${page}status.json`)).json()) as Machine;
interface Machine {
  readonly view: boolean;
  readonly workers: readonly {
    readonly name: string;
    readonly pid: number;
    readonly state: string;
    readonly device?: string;
    readonly counters: { readonly reserved: number };
    readonly images: readonly {
      readonly url: string;
      readonly boxes: readonly { readonly label: string }[];
    }[];
  }[];
}
const slow = (ms: number): string =>
  `await new Promise((resolve) => setTimeout(resolve, ${ms})); return { detections: [] };`;

describe('antenna run', () => {
  it('does one job and exits with 0 and a report, also without the word run', async () => {
    const { code, stdout, stderr } = await cli.run(['--module', 'spots.mjs', '--job', String(site.job.id)], {
      cwd,
      env: site.env,
    });
    expect(code, stderr).toBe(0);
    expect(reportOf(stdout)).toMatchObject({
      ok: true,
      reason: 'drained',
      succeeded: 6,
      posted: 6,
      abandoned: 0,
    });
    site.server.settle();
    expect(site.job.status).toBe('SUCCESS');
    expect(site.job.counts).toMatchObject({ processed: 6, detections: 6, classifications: 6 });
    for (const line of stderr.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ name: 'antenna' });
    expect(stdout + stderr).not.toContain(site.key.slice(9, 21));
  });

  it('leaves other jobs of its pipelines alone when told to do one', async () => {
    const other = site.project.job({ pipeline: { id: 1 }, images: 3 });
    const { code } = await start(['--module', 'spots.mjs', '--job', String(site.job.id)]).finished;
    expect(code).toBe(0);
    expect(other.ledger.total('delivered')).toBe(0);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('posts what is in hand and ends with 0 on %s', async (signal) => {
    writeModule(cwd, slow(300));
    const running = start(['--module', 'spots.mjs', '--project', String(site.project.id)]);
    await expect.poll(() => site.job.ledger.total('delivered'), { timeout: 15_000 }).toBeGreaterThan(0);
    running.child.kill(signal);
    const { code, stdout } = await running.finished;
    expect(code).toBe(0);
    const { reason, taken, posted, abandoned } = reportOf(stdout);
    expect({ reason, posted, abandoned }).toEqual({ reason: 'signal', posted: taken, abandoned: 0 });
  });

  it('ends at once with 143 when told twice', async () => {
    writeModule(cwd, slow(60_000));
    const running = start(['--module', 'spots.mjs']);
    await expect.poll(() => site.job.ledger.total('delivered'), { timeout: 15_000 }).toBeGreaterThan(0);
    running.child.kill('SIGTERM');
    await expect.poll(() => running.stderr(), { timeout: 10_000 }).toContain('draining');
    running.child.kill('SIGTERM');
    expect((await running.finished).code).toBe(143);
  });

  it('ends with 0 when it was idle for --exit-when-idle, and --until drained when no job is left', async () => {
    const idle = await start(['--module', 'spots.mjs', '--exit-when-idle', '400ms']).finished;
    expect(idle.code).toBe(0);
    expect(idle.stderr).toContain('nothing to do');
    expect(reportOf(idle.stdout)).toMatchObject({ posted: 6, reason: 'stopped' });
    const drained = await start(['--module', 'spots.mjs', '--until', 'drained']).finished;
    expect(reportOf(drained.stdout)).toMatchObject({ ok: true, reason: 'drained' });
  });

  it('is gone when --max-time is over, with the grace before it', async () => {
    writeModule(cwd, slow(200));
    const { code, stdout, stderr } = await start([
      '--module',
      'spots.mjs',
      '--max-time',
      '6s',
      '--grace',
      '4s',
    ]).finished;
    expect(code).toBe(0);
    expect(stderr).toContain('--max-time');
    expect(reportOf(stdout)).toMatchObject({ reason: 'stopped', abandoned: 0 });
  });

  it('says which GPU it has in client_info', async () => {
    const bin = join(cwd, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'nvidia-smi'), '#!/bin/sh\necho "0, NVIDIA H100 80GB HBM3, 81559, 512, 7"\n');
    chmodSync(join(bin, 'nvidia-smi'), 0o755);
    const env = { ...site.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    await start(['--module', 'spots.mjs', '--until', 'drained', '--project', String(site.project.id)], {
      env,
    }).finished;
    expect(site.service.clientInfo).toMatchObject({ gpu: 'NVIDIA H100 80GB HBM3, 81559 MiB' });
  });

  it.each([
    ['no pipeline', [], 2, /No pipeline is given/],
    ['a module that is not there', ['--module', 'none.mjs'], 2, /there is no such file/],
    [
      'a pipeline that the module does not have',
      ['--module', 'spots.mjs', '--pipeline', 'moths'],
      2,
      /moths is not among the pipelines: spots/,
    ],
    ['two sources of pipelines', ['--module', 'spots.mjs', '--exec', 'x'], 2, /one of --module, --exec/],
    ['a command that is not there', ['--exec', 'no-such-program'], 1, /no-such-program/],
    ['a spool in a file', ['--module', 'spots.mjs', '--spool', 'spots.mjs'], 1, /spool|directory/i],
  ])('says what is wrong with %s', async (_title, args, expected, message) => {
    const { code, stderr } = await start(args).finished;
    expect(stderr).toMatch(message);
    expect(code).toBe(expected);
  });

  it('ends with 4 when its key was revoked, and shows none of it', async () => {
    const env = { ...site.env, ANTENNA_API_KEY: 'prefix01.Zq7RkP2mXv9LbN4tYw6HcJ8sDf3GaE5u' };
    const { code, stderr } = await start(['--module', 'spots.mjs', '--project', String(site.project.id)], {
      env,
    }).finished;
    expect(code).toBe(4);
    expect(stderr).not.toContain('Zq7RkP2mXv9L');
  });

  it('waits for a server that is away, says so, and still ends with 0 when told to', async () => {
    const env = { ...site.env, ANTENNA_API_URL: 'http://127.0.0.1:9' };
    const running = start(['--module', 'spots.mjs', '--project', String(site.project.id)], { env });
    await expect.poll(() => running.stderr(), { timeout: 20_000 }).toMatch(/registering failed/);
    running.child.kill('SIGTERM');
    expect((await running.finished).code).toBe(0);
  });

  it('shows a live view on a terminal, without escape sequences of strangers', async ({ skip }) => {
    if (!(await has('python3'))) skip();
    writeModule(cwd, slow(300));
    const evil = site.project.job({ pipeline: { id: 1 }, images: 1, name: 'night \u001b[2J 12' });
    evil.cancel();
    const running = start(['--module', 'spots.mjs', '--until', 'drained'], { terminal: true });
    await expect.poll(() => running.stdout(), { timeout: 15_000 }).toMatch(/worker .*running.*in hand/);
    const { code, stdout } = await running.finished;
    expect(code).toBe(0);
    expect(stdout).toContain('Ctrl-C stops');
    expect(stdout).toMatch(/drained: 6 done, 0 failed, 6 posted/);
    expect(stdout).not.toContain('\u001b[2J 12');
    expect(stdout).not.toMatch(/"level":/);
  });
});

describe('the port of antenna run', () => {
  it('has the page, its numbers, probes and metrics; images only with --view', async () => {
    const running = start(['--module', 'spots.mjs', '--port', '0', '--view']);
    const page = await pageOf(running);
    await expect
      .poll(async () => (await status(page)).workers[0]?.images.length, { timeout: 15_000 })
      .toBe(6);
    const { view, workers } = await status(page);
    expect(view).toBe(true);
    expect(workers[0]?.images[0]?.boxes[0]?.label).toBe('<b>Arctia</b> caja');
    const html = await fetch(page);
    expect(html.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await fetch(`${page}livez`)).status).toBe(200);
    expect(await (await fetch(`${page}metrics`)).text()).toMatch(/^antenna_worker_succeeded_total 6$/m);
    running.child.kill('SIGTERM');
    expect((await running.finished).code).toBe(0);
    const without = start(['--module', 'spots.mjs', '--port', '0']);
    const machine = await status(await pageOf(without));
    expect(machine).toMatchObject({ view: false, workers: [{ images: [] }] });
  });
});

describe('antenna run --workers', () => {
  it('does a job with several processes, one page and one spool each, and one report', async () => {
    writeModule(cwd, slow(150));
    const args = [
      '--module',
      'spots.mjs',
      '--workers',
      '2',
      '--port',
      '0',
      '--spool',
      'spool',
      '--concurrency',
      '1',
    ];
    const running = start(args);
    const page = await pageOf(running);
    await expect
      .poll(async () => (await status(page)).workers.map(({ state }) => state), { timeout: 20_000 })
      .toEqual(['running', 'running']);
    await expect.poll(() => (site.server.settle(), site.job.status), { timeout: 20_000 }).toBe('SUCCESS');
    const { workers } = await status(page);
    expect(new Set(workers.map(({ pid }) => pid)).size).toBe(2);
    await expect
      .poll(async () => (await fetch(`${page}metrics`)).text(), { timeout: 10_000 })
      .toMatch(/^antenna_worker_posted_total\{worker="worker-1"\} \d+$/m);
    running.child.kill('SIGTERM');
    const { code, stdout } = await running.finished;
    expect(code).toBe(0);
    expect(reportOf(stdout)).toMatchObject({ posted: 6, abandoned: 0 });
    for (const index of [0, 1]) expect(existsSync(join(cwd, `spool/worker-${index}`))).toBe(true);
  });

  it('survives SIGKILL of one worker: the others go on, it is started again, and no task is lost', async () => {
    await site.close();
    site = await startSite(60, { visibilityTimeoutMs: 3_000 });
    writeModule(cwd, slow(100));
    const running = start([
      '--module',
      'spots.mjs',
      '--workers',
      '2',
      '--port',
      '0',
      '--concurrency',
      '1',
      '--spool',
      'spool',
    ]);
    const page = await pageOf(running);
    await expect
      .poll(async () => (await status(page)).workers.map(({ counters }) => counters.reserved > 0), {
        timeout: 20_000,
      })
      .toEqual([true, true]);
    const before = (await status(page)).workers[0]?.pid ?? 0;
    process.kill(before, 'SIGKILL');
    await expect
      .poll(async () => (await status(page)).workers[0]?.state, { timeout: 10_000 })
      .toBe('restarting');
    expect((await fetch(`${page}livez`)).status).toBe(200);
    await expect
      .poll(
        async () => {
          const first = (await status(page)).workers[0];
          return first?.state === 'running' && first.pid !== before;
        },
        { timeout: 20_000 },
      )
      .toBe(true);
    await expect.poll(() => (site.server.settle(), site.job.status), { timeout: 60_000 }).toBe('SUCCESS');
    expect(site.job.counts).toMatchObject({ processed: 60, failed: 0 });
    running.child.kill('SIGTERM');
    expect((await running.finished).code).toBe(0);
  }, 120_000);

  it('gives each process a GPU, and takes one for each with auto', async () => {
    const bin = join(cwd, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'nvidia-smi'),
      '#!/bin/sh\necho "0, Card A, 1000, 0, 0"\necho "1, Card B, 2000, 0, 0"\n',
    );
    chmodSync(join(bin, 'nvidia-smi'), 0o755);
    writeModule(
      cwd,
      `const { PermanentTaskError } = await import('antenna-sdk'); throw new PermanentTaskError('device ' + process.env.CUDA_VISIBLE_DEVICES + ' index ' + process.env.ANTENNA_WORKER_INDEX);`,
    );
    const env = { ...site.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const running = start(['--module', 'spots.mjs', '--workers', 'auto', '--port', '0'], { env });
    const page = await pageOf(running);
    await expect
      .poll(async () => (await status(page)).workers.map(({ device }) => device), { timeout: 20_000 })
      .toEqual(['Card A, 1000 MiB', 'Card B, 2000 MiB']);
    const reasonsNow = async (): Promise<string> => JSON.stringify(await status(page));
    await expect.poll(reasonsNow, { timeout: 20_000 }).toContain('index');
    const reasons = await reasonsNow();
    expect(reasons).toMatch(/device (?:0 index 0|1 index 1)/);
    expect(reasons).not.toMatch(/device (?:0 index 1|1 index 0|undefined)/);
    running.child.kill('SIGTERM');
    expect((await running.finished).code).toBe(0);
  });

  it('does not start a worker again that can never work, and ends with its code', async () => {
    const env = { ...site.env, ANTENNA_API_KEY: 'prefix01.Zq7RkP2mXv9LbN4tYw6HcJ8sDf3GaE5u' };
    const { code, stderr } = await start(
      ['--module', 'spots.mjs', '--workers', '2', '--project', String(site.project.id)],
      { env },
    ).finished;
    expect(code).toBe(4);
    expect(stderr).toContain('a worker has failed');
    expect(stderr).not.toContain('Zq7RkP2mXv9L');
  });

  it('shows no secret in the list of processes', async () => {
    const running = start(['--module', 'spots.mjs', '--workers', '2', '--port', '0', '--api-key', site.key], {
      env: { ANTENNA_API_URL: site.url },
    });
    const page = await pageOf(running);
    await expect.poll(async () => (await status(page)).workers.length, { timeout: 20_000 }).toBe(2);
    for (const { pid } of (await status(page)).workers)
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(site.key.slice(9, 21));
    running.child.kill('SIGTERM');
    expect((await running.finished).code).toBe(0);
  });
});

describe('antenna run with a model outside', () => {
  it('runs a Python handler with --exec', async ({ skip }) => {
    if (!(await has('python3'))) skip();
    writeFileSync(
      join(cwd, 'detect.py'),
      `from antenna_handler import pipeline, run
def process(image): return [{"bbox": [1, 2, 30, 40], "classifications": [{"scores": [0.9, 0.1]}]}]
run(process, pipelines=[pipeline("spots", name="Spots", detector="spot-boxes", classifier="spot-names", labels=["Actias luna", "<b>Arctia</b> caja"])])
`,
    );
    const { code, stderr } = await start(['--exec', 'python3 detect.py', '--job', String(site.job.id)])
      .finished;
    expect(code, stderr).toBe(0);
    site.server.settle();
    expect(site.job.counts).toMatchObject({ processed: 6, failed: 0, detections: 6 });
  });

  it('runs a push service with --service', async () => {
    const service = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      if (request.url === '/info') return response.end(JSON.stringify(INFO));
      if (request.url === '/process') {
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => {
          const asked = JSON.parse(body) as { source_images: { id: string; url: string }[] };
          const source_images = asked.source_images.map(({ id, url }) => ({ id, url }));
          response.end(
            JSON.stringify({
              pipeline: 'spots',
              algorithms: {},
              total_time: 0.1,
              source_images,
              detections: [],
            }),
          );
        });
        return response;
      }
      return response.end(JSON.stringify({ status: true }));
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      service.closeAllConnections();
      service.close();
    });
    const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    const { code, stderr } = await start(['--service', url, '--job', String(site.job.id)]).finished;
    expect(code, stderr).toBe(0);
    site.server.settle();
    expect(site.job.counts).toMatchObject({ processed: 6, failed: 0 });
  });
});

const INFO = {
  name: 'Spot service',
  description: 'for a test',
  pipelines: [
    {
      name: 'Spots',
      slug: 'spots',
      version: 1,
      algorithms: [{ name: 'Spot boxes', key: 'spot-boxes', task_type: 'detection', version: 1 }],
    },
  ],
  algorithms: [],
};
