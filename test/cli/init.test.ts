import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { blobDetector, shadeClassifier } from '../../examples/onnx/blob-model.js';
import { RANGES } from '../../src/cli/init/package.js';
import { KINDS, type Kind } from '../../src/cli/init/project.js';
import { sdkRange } from '../../src/cli/init/sdk-range.js';
import { starterClassifier, starterDetector } from '../../src/cli/init/starter-models.js';
import { has, installForFile } from './harness.js';

const ROOT = new URL('../../', import.meta.url);
const execute = promisify(execFile);
const { cli } = await installForFile();
const hasPython = await has('python3');

/** Writes a worker, and puts what npm install would put there. */
async function starter(kind: Kind, ...args: readonly string[]): Promise<string> {
  const cwd = cli.work();
  const { code, stderr } = await cli.run(['init', 'My worker', '--kind', kind, ...args], { cwd });
  expect(code, stderr).toBe(0);
  const folder = join(cwd, 'My worker');
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  const bin = join(cli.folder, 'node_modules/antenna-sdk/dist/cli.js');
  chmodSync(bin, 0o755);
  symlinkSync(bin, join(folder, 'node_modules/.bin/antenna'));
  return folder;
}

async function serve(): Promise<Readonly<Record<string, string>> & { readonly ANTENNA_API_URL: string }> {
  const command = cli.start(['serve', '--port', '0', '--json', '--count', '6']);
  await expect.poll(() => command.stdout(), { timeout: 15_000 }).toMatch(/\n\}\n/);
  return (JSON.parse(command.stdout()) as { environment: { ANTENNA_API_URL: string } }).environment;
}
async function jobsOf(url: string): Promise<unknown> {
  return ((await (await fetch(`${url}/status.json`)).json()) as { jobs: unknown }).jobs;
}
/** The environment of a shell, without settings of whoever runs the tests. */
const shell = (env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  ...env,
});

describe('what antenna init writes', () => {
  it.for(Object.keys(KINDS) as Kind[])(
    'as %s passes its own test, and does a job of a served Antenna',
    { timeout: 90_000 },
    async (kind, { skip }) => {
      if ((kind === 'python' || kind === 'service') && !hasPython) skip();
      const folder = await starter(kind);
      const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        scripts: { test: string };
      };
      const [command = '', ...args] = scripts.test.split(' ');
      expect(command).toBe('node');
      const tested = await execute(process.execPath, args, { cwd: folder, env: shell() });
      expect(tested.stdout).toMatch(/^(?:#|ℹ) pass 1$/m);

      const environment = await serve();
      // A port of its own for the service: the one of the configuration may be in use on the machine that tests.
      const flags = kind === 'service' ? await ownPort() : [];
      const run = ['run', '--project', '1', '--until', 'drained', ...flags];
      const { code, stderr } = await cli.run(run, { cwd: folder, env: environment });
      expect(code, stderr).toBe(0);
      expect(await jobsOf(environment.ANTENNA_API_URL)).toMatchObject([
        { pipeline: 'my-worker', status: 'SUCCESS', done: 6, failed: 0 },
      ]);
    },
  );

  it('as typescript is strict TypeScript', async () => {
    const folder = await starter('typescript', '--slug', 'my_moths');
    const tsc = new URL('node_modules/typescript/bin/tsc', ROOT);
    // The types are those of the sources: the test's own build has none.
    const paths = { 'antenna-sdk': [new URL('src/index.ts', ROOT).pathname] };
    const config = {
      extends: './tsconfig.json',
      compilerOptions: { paths, baseUrl: '.', lib: ['ES2023', 'ESNext.Disposable'] },
    };
    writeFileSync(join(folder, 'tsconfig.test.json'), JSON.stringify(config));
    const { stdout } = await execute(process.execPath, [tsc.pathname, '-p', 'tsconfig.test.json'], {
      cwd: folder,
    });
    expect(stdout).toBe('');
    expect(readFileSync(join(folder, 'worker.ts'), 'utf8')).toContain("slug: 'my_moths'");
  }, 60_000);

  it('has a SLURM script that does a job and hands on what it was given', async ({ skip }) => {
    if (!hasPython || !(await has('bash'))) skip();
    const folder = await starter('python');
    const environment = await serve();
    const env = shell({ ...environment, ANTENNA_EXIT_WHEN_IDLE: '1s', SLURM_SUBMIT_DIR: folder });
    const script = join(folder, 'deploy/slurm-array.sh');
    const { stdout } = await execute(script, ['--project', '1'], { cwd: '/', env });
    expect(stdout).toContain('"reason":"stopped"');
    expect(await jobsOf(environment.ANTENNA_API_URL)).toMatchObject([{ status: 'SUCCESS', done: 6 }]);
    expect(readFileSync(script, 'utf8')).toMatch(/^#SBATCH --array=/m);
  }, 60_000);

  it('has a unit that systemd understands', async ({ skip }) => {
    if (!(await has('systemd-analyze'))) skip();
    const folder = await starter('typescript');
    const unit = join(folder, 'deploy/my-worker.service');
    const here = readFileSync(unit, 'utf8').replaceAll('/opt/my-worker', folder.replaceAll(' ', '\\x20'));
    writeFileSync(unit, here.replaceAll(/^WorkingDirectory=.*$/gm, ''));
    const { stderr } = await execute('systemd-analyze', ['verify', '--man=no', unit]).catch(
      (error: unknown) => error as { stderr: string },
    );
    expect(stderr.split('\n').filter((line) => line.includes('my-worker.service'))).toEqual([]);
  });

  it('has a program for supervisord that stops after the grace', async () => {
    const folder = await starter('onnx');
    const text = readFileSync(join(folder, 'deploy/supervisord.conf'), 'utf8');
    expect(text).toMatch(/^\[program:my-worker\]$/m);
    for (const line of text.split('\n')) expect(line).toMatch(/^$|^;|^\[|^\w+=/);
    expect(Number(/^stopwaitsecs=(\d+)$/m.exec(text)?.[1])).toBeGreaterThan(25);
    if (!hasPython) return;
    const parse = `import configparser,sys; c=configparser.RawConfigParser(inline_comment_prefixes=(';',)); c.read(sys.argv[1]); print(c.sections())`;
    const parsed = execFileSync('python3', ['-c', parse, join(folder, 'deploy/supervisord.conf')]);
    expect(parsed.toString()).toContain('program:my-worker');
  });

  it('takes the ranges of the package for what both need', () => {
    const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
      peerDependencies: Record<string, string>;
    };
    for (const name of ['sharp', 'onnxruntime-node', 'msw'] as const)
      expect(RANGES[name]).toBe(manifest.peerDependencies[name]);
  });

  it('has the models of the examples; new ones are brotli of quality 11, as base64', () => {
    expect(Buffer.compare(starterDetector(), blobDetector())).toBe(0);
    expect(Buffer.compare(starterClassifier(), shadeClassifier())).toBe(0);
  });
});

describe('antenna init', () => {
  it('overwrites nothing unless told to, and then everything', async () => {
    const cwd = cli.work();
    writeFileSync(join(cwd, 'package.json'), 'mine');
    writeFileSync(join(cwd, 'README.md'), 'mine too');
    const args = ['init', '--kind', 'python', '--slug', 'moths'];
    const refused = await cli.run(args, { cwd });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /Nothing was written: package\.json, README\.md are there already.*--force/,
    );
    expect(readdirSync(cwd).sort()).toEqual(['README.md', 'package.json']);
    expect((await cli.run([...args, '--force'], { cwd })).code).toBe(0);
    expect(readFileSync(join(cwd, 'package.json'), 'utf8')).toContain('"antenna-sdk"');
  });

  it('prints what to type next, and every file with --json', async () => {
    const cwd = cli.work();
    const { stdout } = await cli.run(['init', 'a b', '--kind', 'onnx'], { cwd });
    expect(stdout).toMatch(/cd 'a b'\n {2}npm install\n {2}npm test .*\n {2}npx antenna serve/);
    const { stdout: json } = await cli.run(['init', 'c', '--kind', 'onnx', '--json'], { cwd });
    const { ok, pipeline, files } = JSON.parse(json) as { ok: boolean; pipeline: string; files: string[] };
    expect({ ok, pipeline }).toEqual({ ok: true, pipeline: 'c' });
    for (const file of files) expect(existsSync(join(cwd, 'c', file)), file).toBe(true);
    for (const file of ['Dockerfile', 'test/worker.test.mjs', 'deploy/c.service', 'models/antenna.json'])
      expect(files).toContain(file);
  });

  it('asks on a terminal for what it was not told', async ({ skip }) => {
    if (!hasPython) skip();
    const cwd = cli.work();
    const command = cli.start(['init'], { cwd, terminal: true });
    const answer = async (question: string, text: string): Promise<void> => {
      await expect.poll(() => command.stdout(), { timeout: 15_000 }).toContain(question);
      command.child.stdin?.write(text);
    };
    await answer('Folder', 'moths\r');
    await answer('What is the model?', '\u001b[B\r');
    await answer('Slug of the pipeline', 'night-moths\r');
    expect((await command.finished).code).toBe(0);
    expect(readFileSync(join(cwd, 'moths/detect.py'), 'utf8')).toContain('pipeline("night-moths"');
  });

  it.each([
    [[], /Say what to write: --kind typescript, python, service, onnx/],
    [['--kind', 'fortran'], /"fortran" is no kind: --kind typescript/],
    [['--kind', 'onnx', '--slug', 'Two Words'], /--slug must be of lower-case letters/],
  ])('antenna init %s ends with 2, says what to do and writes nothing', async (args, message) => {
    const cwd = cli.work();
    const { code, stderr } = await cli.run(['init', ...args], { cwd });
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('has the worker install the package from where this one came', () => {
    const folder = cli.work();
    const home = join(folder, 'node_modules/antenna-sdk');
    expect(sdkRange(home, '1.2.3')).toBe('^1.2.3');
    mkdirSync(home, { recursive: true });
    const record = (resolved: string): void => {
      const packages = { 'node_modules/antenna-sdk': { resolved } };
      writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages }));
    };
    record('https://registry.example.org/antenna-sdk-1.2.3.tgz');
    expect(sdkRange(home, '1.2.3')).toBe('^1.2.3');
    record('file:../antenna-sdk-1.2.3.tgz');
    expect(sdkRange(home, '1.2.3')).toBe(`file:${join(folder, '../antenna-sdk-1.2.3.tgz')}`);
  });
});

async function ownPort(): Promise<string[]> {
  const { createServer } = await import('node:net');
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return ['--service', `http://127.0.0.1:${port}`, '--start', `python3 service.py --port ${port}`];
}
