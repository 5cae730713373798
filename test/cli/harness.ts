import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach } from 'vitest';
import {
  createContractServer,
  createImageHost,
  type ContractServer,
  type ImageHost,
} from 'antenna-sdk/testing';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a command came to. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly finished: Promise<Finished>;
}

/** How to start a command. */
interface Start {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Through Python's `pty`, so that the command sees a terminal. */
  readonly terminal?: boolean;
  /** What is typed. */
  readonly input?: string;
}

/** The package as it would be installed, built from the sources, and a folder in which it is. */
export interface Installed {
  readonly folder: string;
  /** A new folder from which `antenna-sdk` can be imported. */
  work(): string;
  start(args: readonly string[], how?: Start): Running;
  run(args: readonly string[], how?: Start): Promise<Finished>;
  remove(): void;
}

const PTY = `
import os, pty, sys
status = pty.spawn(['sh', '-c', 'stty cols 100 rows 40; exec "$@"', 'sh'] + sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(status))
`;

/** Builds the package into a folder of its own: the tests must not depend on an earlier \`npm run build\`. */
export async function install(): Promise<Installed> {
  const cache = join(ROOT, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'cli-'));
  const home = join(folder, 'node_modules', 'antenna-sdk');
  const entryPoints: Record<string, string> = {
    index: 'src/index.ts',
    testing: 'src/testing/index.ts',
    cli: 'src/cli/main.ts',
    'executor-thread': 'src/worker/executors/executor-thread.ts',
    'executor-child': 'src/worker/executors/executor-child.ts',
    onnx: 'src/onnx/index.ts',
    'onnx-session': 'src/onnx/onnx-session.ts',
    'onnx-prepare': 'src/onnx/onnx-prepare.ts',
  };
  await build({
    absWorkingDir: ROOT,
    entryPoints,
    outdir: join(home, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    tsconfigRaw: {},
    logLevel: 'error',
  });
  writeFileSync(join(home, 'package.json'), readFileSync(join(ROOT, 'package.json')));
  cpSync(join(ROOT, 'python'), join(home, 'python'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  writeFileSync(join(folder, 'terminal.py'), PTY);
  const start = (args: readonly string[], how: Start = {}): Running =>
    launch(folder, join(home, 'dist/cli.js'), args, how);
  return {
    folder,
    work: () => mkdtempSync(join(folder, 'work-')),
    start,
    run: (args, how) => start(args, how).finished,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function launch(folder: string, cli: string, args: readonly string[], how: Start): Running {
  const { PATH = '', HOME = '' } = process.env;
  const command = [process.execPath, cli, ...args];
  const [file = '', ...rest] =
    how.terminal === true ? ['python3', join(folder, 'terminal.py'), ...command] : command;
  const base = {
    PATH,
    HOME,
    TERM: 'xterm',
    ...(how.terminal === true ? { COLUMNS: '100' } : { NO_COLOR: '1' }),
  };
  const child = spawn(file, rest, {
    cwd: how.cwd ?? folder,
    env: { ...base, ...how.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  if (how.input !== undefined) child.stdin.write(how.input);
  if (how.terminal !== true) child.stdin.end();
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
  });
  return { child, stdout: () => stdout, stderr: () => stderr, finished };
}

/**
 * The package, for the tests of the file that asks. After a test, what it started is killed and what it pushed to `cleanups` is done, last
 * in first out.
 */
export async function installForFile(): Promise<{ cli: Installed; cleanups: (() => unknown)[] }> {
  const installed = await install();
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
  });
  afterAll(() => {
    installed.remove();
  });
  const start: Installed['start'] = (args, how) => {
    const running = installed.start(args, how);
    cleanups.push(() => running.child.kill('SIGKILL'));
    return running;
  };
  return { cli: { ...installed, start }, cleanups };
}

/** One document on standard output. */
export const parsed = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
/** The last line of standard output: the report. */
export const reportOf = (stdout: string): Record<string, unknown> =>
  parsed(stdout.trim().split('\n').at(-1) ?? '');

/** Whether a program is there, with a sentence for the log when it is not. */
export async function has(program: string): Promise<boolean> {
  const code = await new Promise<number | null>((resolve) => {
    const child = spawn(program, ['--version'], { stdio: 'ignore' });
    child.once('error', () => {
      resolve(null);
    });
    child.once('close', resolve);
  });
  if (code !== 0) process.stderr.write(`skipped: ${program} is not installed\n`);
  return code === 0;
}

/** An Antenna with one project, a service, a job of drawn images, and what a worker needs to know of it. */
export interface Site {
  readonly server: ContractServer;
  readonly images: ImageHost;
  readonly url: string;
  readonly project: ReturnType<ContractServer['project']>;
  readonly service: ReturnType<ReturnType<ContractServer['project']>['service']>;
  readonly key: string;
  readonly job: ReturnType<ReturnType<ContractServer['project']>['job']>;
  readonly env: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

/** The pipeline that `fixtures/spots.mjs` exports, as a server knows it. */
export const SPOTS = {
  name: 'Spots',
  slug: 'spots',
  algorithms: [
    { key: 'spot-boxes', name: 'Spot boxes', task_type: 'detection' },
    {
      key: 'spot-names',
      name: 'Spot names',
      task_type: 'classification',
      labels: ['Actias luna', '<b>Arctia</b> caja'],
    },
  ],
};

/** Puts a worker's module into a folder. @param body - of the handler. */
export function writeModule(folder: string, body = DEFAULT_BODY, name = 'spots.mjs'): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    `import { definePipeline } from 'antenna-sdk';
export const spots = definePipeline({
  name: 'Spots', slug: 'spots', version: 1,
  algorithms: [
    { key: 'spot-boxes', name: 'Spot boxes', task_type: 'detection' },
    { key: 'spot-names', name: 'Spot names', task_type: 'classification',
      category_map: { data: [{ index: 0, label: 'Actias luna' }, { index: 1, label: '<b>Arctia</b> caja' }] } },
  ],
  async process(image) { ${body} },
});
`,
  );
  return path;
}

const DEFAULT_BODY = `return { detections: [{ bbox: { x1: 10, y1: 20, x2: 60, y2: 70 }, classifications: [{ scores: [0.2, 0.8] }] }] };`;

/** Starts an Antenna and an image host on real ports. */
export async function startSite(
  images = 4,
  options: Partial<Parameters<typeof createContractServer>[0]> = {},
): Promise<Site> {
  const server = createContractServer({ dialect: 'api-key', emptyWaitMs: 20, ...options });
  const host = createImageHost();
  await host.listen();
  const { origin } = await server.listen();
  const project = server.project({ name: 'Meadow' });
  const service = project.service({ name: 'field-station' });
  const key = service.key().value;
  const pipeline = project.pipeline(SPOTS);
  const urls = Array.from(
    { length: images },
    () => host.generate({ width: 160, height: 120, insects: 2 }).url,
  );
  const job = project.job({ pipeline, images: urls });
  return {
    ...{ server, images: host, url: origin, project, service, key, job },
    env: { ANTENNA_API_URL: origin, ANTENNA_API_KEY: key },
    close: async () => {
      await server.close();
      await host.close();
    },
  };
}
