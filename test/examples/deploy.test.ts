import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContractServer, type ContractServer, type JobHandle } from 'antenna-sdk/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { expectShown } from './shown.js';

const local = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** What a deployed worker sees: a server, images, and a key in a file. */
interface World {
  readonly server: ContractServer;
  readonly job: JobHandle;
  readonly spool: string;
  /** Replaces the key, as an operator does: a new one on the server, then in the file. */
  readonly rotateKey: () => void;
  readonly env: Readonly<Record<string, string>>;
}

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function imageHost(): Promise<string> {
  const host: Server = createServer((_, response) => response.end('not really a JPEG'));
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => host.close());
  return `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
}

async function world(count = 3): Promise<World> {
  const images = await imageHost();
  const server = createContractServer({ dialect: 'api-key' });
  cleanups.push(() => server.close());
  const { url } = await server.listen();
  const project = server.project({ name: 'Night 12', asyncPipelineWorkers: true });
  const service = project.service({ name: 'fleet' });
  const key = service.key();
  // As an earlier start of the worker registered it.
  const pipeline = project.pipeline({
    slug: 'moths',
    name: 'Moths',
    algorithms: [
      { key: 'moth-boxes', task_type: 'detection' },
      { key: 'moth-species', task_type: 'classification', labels: ['Actias luna', 'Arctia caja'] },
    ],
  });
  const job = project.job({
    pipeline,
    images: Array.from({ length: count }, (_, n) => `${images}/${n + 1}.jpg`),
  });
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
  cleanups.push(() => {
    rmSync(folder, { recursive: true });
  });
  const keyFile = join(folder, 'api-key');
  const spool = join(folder, 'spool');
  writeFileSync(keyFile, `${key.value}\n`);
  const env = {
    ANTENNA_API_URL: url,
    ANTENNA_API_KEY_FILE: keyFile,
    ANTENNA_PROJECTS: String(project.id),
    ANTENNA_SPOOL_DIRECTORY: spool,
    POD_NAME: 'moth-worker-0',
    HEALTH_PORT: '0',
  };
  const rotateKey = (): void => {
    key.revoke();
    writeFileSync(keyFile, `${service.key().value}\n`);
  };
  return { server, job, env, spool, rotateKey };
}

/** The example's main in a process of its own. */
function start(env: Readonly<Record<string, string>>): {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Standard output alone. */
  readonly printed: () => string;
  readonly exit: Promise<number | null>;
} {
  const args = ['--import', 'tsx', local('examples/deploy/worker.ts')];
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, args, { env: { PATH, ...env }, cwd: local('.') });
  let output = '';
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  cleanups.push(() => child.kill('SIGKILL'));
  return {
    child,
    output: () => output,
    printed: () => printed,
    exit: new Promise((resolve) => child.once('close', resolve)),
  };
}

describe('the deployed worker', () => {
  it('does a job, shows that it is well, and ends with 0 on SIGTERM', async () => {
    const { job, env } = await world();
    const { child, output, printed, exit } = start(env);
    await expect.poll(() => job.status, { timeout: 20_000 }).toBe('SUCCESS');
    expect(job.counts).toMatchObject({ processed: 3, failed: 0, captures: 3 });
    const port = /health port (\d+)/.exec(output())?.[1] ?? '';
    for (const path of ['livez', 'readyz'])
      expect((await fetch(`http://127.0.0.1:${port}/${path}`)).status, path).toBe(200);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toMatch(/^antenna_worker_posted_total 3$/m);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(JSON.parse(output().trim().split('\n').at(-1) ?? '')).toMatchObject({
      reason: 'signal',
      posted: 3,
      abandoned: 0,
    });
    expectShown('deploy', printed());
    expect(output()).not.toContain(readFileSync(env['ANTENNA_API_KEY_FILE'] ?? '', 'utf8').trim());
  });

  it('comes back after SIGKILL, with its spool, and goes on with a key that was replaced', async () => {
    const { job, env, spool, rotateKey } = await world(60);
    const first = start(env);
    await expect.poll(() => job.ledger.total('counted'), { timeout: 20_000 }).toBeGreaterThan(0);
    rotateKey();
    first.child.kill('SIGKILL');
    await first.exit;
    expect(existsSync(spool)).toBe(true);
    // What it held comes again after its lease, which would be half a minute of waiting here.
    const second = start({ ...env, POD_NAME: 'moth-worker-0' });
    await expect.poll(() => second.output(), { timeout: 20_000 }).toMatch(/health port/);
    const port = /health port (\d+)/.exec(second.output())?.[1] ?? '';
    const ready = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
    await expect.poll(ready, { timeout: 20_000 }).toBe(200);
    second.child.kill('SIGTERM');
    expect(await second.exit).toBe(0);
    expect(job.counts.failed).toBe(0);
    expect(job.ledger.total('save-failed')).toBe(0);
    expect(second.output()).not.toMatch(/401|spool.*held|lock/i);
  });

  it('ends with 1, and says why, when its key is wrong or missing', async () => {
    const { env } = await world();
    writeFileSync(env['ANTENNA_API_KEY_FILE'] ?? '', 'abcdefgh.0123456789abcdefghijklmnopqrstuv');
    const wrong = start(env);
    expect(await wrong.exit).toBe(1);
    expect(wrong.output()).toMatch(/401|credential|key/i);
    expect(wrong.output()).not.toContain('0123456789abcdefghijklmnopqrstuv');
    const missing = start({ ...env, ANTENNA_API_KEY_FILE: '' });
    expect(await missing.exit).toBe(1);
    expect(missing.output()).toContain('ANTENNA_API_KEY_FILE is missing');
  });
});

describe('the deployment files', () => {
  const read = (name: string): string => readFileSync(local(`examples/deploy/${name}`), 'utf8');

  it('give a container longer to end than the worker takes', () => {
    expect(Number(/terminationGracePeriodSeconds: (\d+)/.exec(read('kubernetes.yaml'))?.[1])).toBeGreaterThan(
      25,
    );
    expect(Number(/stop_grace_period: (\d+)s/.exec(read('docker-compose.yml'))?.[1])).toBeGreaterThan(25);
  });

  it('name only files and variables that the worker reads', () => {
    const sources = ['worker.ts', 'settings.ts'].map(read).join('\n');
    // The client reads these by itself.
    const known = new Set(['ANTENNA_API_URL', 'ANTENNA_LOG_LEVEL', 'POD_NAME', 'NODE_ENV']);
    const named = ['kubernetes.yaml', 'docker-compose.yml', 'Dockerfile'].flatMap(
      (name) => read(name).match(/\b(?:ANTENNA|HEALTH|POD|NODE)_[A-Z_]+\b/g) ?? [],
    );
    expect(named.length).toBeGreaterThan(6);
    for (const variable of named)
      expect(known.has(variable) || sources.includes(variable), variable).toBe(true);
    for (const file of ['package.json', 'tsconfig.build.json', 'worker.ts'])
      expect(existsSync(local(`examples/deploy/${file}`))).toBe(true);
  });

  it('run nothing as root', () => {
    expect(read('Dockerfile')).toMatch(/^USER node$/m);
    expect(read('kubernetes.yaml')).toContain('runAsNonRoot: true');
  });
});
