import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { startSite } from '../../src/cli/serve/site.js';
import { exampleFile } from './shown.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A main of an example that runs. */
export interface RunningMain {
  readonly child: ChildProcess;
  readonly folder: string;
  /** What it has printed to standard output. */
  readonly printed: () => string;
  /** Both streams, for the message of a failure. */
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

/** Starts a main as its README says, in a folder of its own, which is where it leaves files. Ends with the test at the latest. */
export function startMain(
  file: string,
  { args = [], env = {} }: { args?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): RunningMain {
  const folder = mkdtempSync(join(tmpdir(), 'example-'));
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), exampleFile(file), ...args],
    {
      cwd: folder,
      // tsx looks for the aliases of the package's name in the working directory.
      env: { PATH, HOME, TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.json'), ...env },
    },
  );
  let printed = '';
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
    rmSync(folder, { recursive: true, force: true });
  });
  return { child, folder, printed: () => printed, output: () => output, exit };
}

/** What `antenna serve --count 4` gives: an Antenna on a port, in which every pipeline that is registered gets a job. */
export interface Served {
  /** What the READMEs export. */
  readonly env: Readonly<Record<string, string>>;
  /** Waits until the one job is done. */
  readonly done: (main: RunningMain) => Promise<void>;
}

export async function serve(count = 4): Promise<Served> {
  const site = await startSite({
    ...{ port: 0, host: '127.0.0.1', cwd: ROOT, dialect: 'api-key', seed: undefined, images: undefined },
    count,
  });
  onTestFinished(() => site.close());
  const [key = ''] = site.keys['my-worker'] ?? [];
  const env = { ANTENNA_API_URL: site.origin, ANTENNA_API_KEY: key, ANTENNA_PROJECTS: '1' };
  const done = async (main: RunningMain): Promise<void> => {
    await expect
      .poll(
        () =>
          main.child.exitCode === null
            ? site
                .allJobs()
                .map(({ status }) => status)
                .join()
            : main.output(),
        { timeout: 90_000 },
      )
      .toBe('SUCCESS');
  };
  return { env, done };
}
