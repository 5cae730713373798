// Runs a client and a worker of the built package on Bun and Deno against a contract server: `npm run test:runtimes`, or one of them:
// `npm run test:runtimes -- deno`. Both come as npm packages; one that cannot be installed here is skipped, with a word.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContractServer } from '../src/testing/index.js';
import { npm, run } from './run-command.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, '.cache', 'runtimes');
const PROGRAM = join('scripts', 'consumers', 'runtime.mjs');
const IMAGES = 3;
const TIMEOUT_MS = 120_000;

interface Runtime {
  readonly name: string;
  /** Candidates for the binary below `node_modules`: by its own package, or where an install script has put it. */
  readonly binaries: readonly string[];
  readonly args: readonly string[];
}

const LIBC = process.platform === 'linux' ? '-glibc' : '';
const RUNTIMES: readonly Runtime[] = [
  {
    name: 'bun',
    binaries: [`@oven/bun-${process.platform}-${process.arch}/bin/bun`, 'bun/bin/bun.exe'],
    args: [],
  },
  {
    name: 'deno',
    binaries: [`@deno/${process.platform}-${process.arch}${LIBC}/deno`, 'deno/deno'],
    args: ['run', '--allow-all'],
  },
];

/** @returns undefined when it cannot be had here: no registry, no build for this platform. */
function binaryOf({ name, binaries }: Runtime): string | undefined {
  const folder = join(CACHE, name);
  const find = (): string | undefined =>
    binaries.map((path) => join(folder, 'node_modules', path)).find((path) => existsSync(path));
  const found = find();
  if (found !== undefined) return found;
  mkdirSync(folder, { recursive: true });
  try {
    npm(
      ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-save', '--prefer-offline', name],
      folder,
    );
  } catch {
    return undefined;
  }
  return find();
}

/** A worker takes the images of one job, the last behind a redirect. @returns why it did not; undefined when it did. */
async function work(binary: string, args: readonly string[]): Promise<string | undefined> {
  const images = createServer(({ url }, response) => {
    if (url === '/moved') response.writeHead(302, { location: '/1.jpg' }).end();
    else response.writeHead(200, { 'content-type': 'image/jpeg' }).end('pixels');
  });
  await new Promise<void>((resolve) => images.listen(0, '127.0.0.1', resolve));
  const host = `http://127.0.0.1:${(images.address() as AddressInfo).port}`;
  const server = createContractServer({ dialect: 'api-key' });
  try {
    const project = server.project({ name: 'Meadow' });
    const key = project.service({ name: 'worker' }).key().value;
    const pipeline = project.pipeline({
      slug: 'mine',
      algorithms: [{ key: 'mine-boxes', name: 'Mine boxes', task_type: 'detection' }],
    });
    const job = project.job({ pipeline, images: [`${host}/1.jpg`, `${host}/2.jpg`, `${host}/moved`] });
    const { url } = await server.listen();
    const facts = JSON.stringify({ url, key, project: project.id, images: IMAGES });
    const code = await exitOf(binary, [...args, PROGRAM, facts]);
    server.settle();
    if (code !== 0) return `it ended with ${code ?? 'a signal'}`;
    return job.status === 'SUCCESS' ? undefined : `the job is ${job.status}`;
  } finally {
    images.closeAllConnections();
    images.close();
    await server.close();
  }
}

function exitOf(binary: string, args: readonly string[]): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, { cwd: ROOT, stdio: 'inherit', timeout: TIMEOUT_MS });
    child.once('error', reject);
    child.once('exit', resolve);
  });
}

async function examine(runtime: Runtime): Promise<string> {
  const binary = binaryOf(runtime);
  if (binary === undefined)
    return 'skipped: its npm package has no program for this machine, or could not be installed';
  const version = run(binary, ['--version'], ROOT).trim().split('\n')[0] ?? '?';
  console.log(`\n== ${runtime.name} (${version})`);
  const why = await work(binary, runtime.args);
  if (why === undefined) return `ok, on ${version}`;
  process.exitCode = 1;
  return `FAILED on ${version}: ${why}`;
}

const chosen = process.argv.slice(2);
npm(['run', 'build'], ROOT);
const lines: string[] = [];
for (const runtime of RUNTIMES) {
  if (chosen.length > 0 && !chosen.includes(runtime.name)) continue;
  lines.push(`${runtime.name}: ${await examine(runtime)}`);
}
console.log(`\n${lines.join('\n')}`);
