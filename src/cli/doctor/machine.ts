import { randomUUID } from 'node:crypto';
import { mkdir, readFile, statfs, unlink, writeFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { formatBytes } from '../durations.js';
import { describeGpu, readGpus } from '../gpus.js';
import { codeOf, fail, ok, skip, warn, type Check } from './check.js';

const MIN_NODE = [20, 18, 1] as const;
/** 16 downloads, 64 connections, the spool, and what handler processes open; 1,024 was too low for the Python worker. */
const MIN_OPEN_FILES = 1_024;
/** Images and results have budgets of 256 MiB each. */
const MIN_FREE_BYTES = 1e9;

/** What the machine itself brings. */
export async function checkMachine(options: {
  readonly spool: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<readonly Check[]> {
  return [
    nodeCheck(process.versions.node),
    memoryCheck(),
    await openFilesCheck(),
    await gpuCheck(options.env),
    await spoolCheck(options.spool, options.cwd),
  ];
}

/** @param version - such as `20.18.1`. */
function nodeCheck(version: string): Check {
  const parts = version.split('.').map(Number);
  const at = MIN_NODE.findIndex((least, index) => (parts[index] ?? 0) !== least);
  if (at === -1 || (parts[at] ?? 0) > (MIN_NODE[at] ?? 0)) return ok('node', version);
  return fail(
    'node',
    `${version} is older than ${MIN_NODE.join('.')}`,
    'install Node 22 or later (https://nodejs.org)',
  );
}

function memoryCheck(): Check {
  // Inside a container the machine's numbers say nothing; Node knows the limit.
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  const free = Math.min(process.availableMemory(), freemem() > 0 ? total : 0);
  const detail = `${formatBytes(free)} free of ${formatBytes(total)}`;
  return free < MIN_FREE_BYTES
    ? warn(
        'memory',
        detail,
        'a worker takes up to 0.6 GB beside the model: lower imageBudgetBytes, or give the container more',
      )
    : ok('memory', detail);
}

async function openFilesCheck(): Promise<Check> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => undefined);
  const soft = /^Max open files\s+(\S+)/m.exec(limits ?? '')?.[1];
  if (soft === undefined) return skip('open files', 'not told by this system');
  const count = soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  return count < MIN_OPEN_FILES
    ? warn(
        'open files',
        `at most ${soft}`,
        'raise it: ulimit -n 4096, or LimitNOFILE=4096 in the systemd unit',
      )
    : ok('open files', `up to ${soft}`);
}

async function gpuCheck(env: Readonly<Record<string, string | undefined>>): Promise<Check> {
  const gpus = await readGpus(env);
  return gpus.length === 0
    ? skip('gpu', 'no nvidia-smi, or it shows none')
    : ok('gpu', gpus.map((gpu) => `${gpu.index}: ${describeGpu(gpu)}`).join('; '));
}

async function spoolCheck(spool: string | undefined, cwd: string): Promise<Check> {
  if (spool === undefined)
    return skip(
      'spool',
      'none: computed results are in memory until the server has them (--spool DIR keeps them through a crash)',
    );
  const directory = resolve(cwd, spool);
  const probe = join(directory, `.doctor-${randomUUID()}`);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(probe, 'can be written');
    await unlink(probe);
  } catch (error) {
    return fail(
      'spool',
      `${directory} cannot be written (${codeOf(error)})`,
      'give the worker’s user a directory of its own on a local disk',
    );
  }
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  return free < MIN_FREE_BYTES
    ? warn('spool', `${directory}: only ${formatBytes(free)} free`, 'free some space, or choose another disk')
    : ok('spool', `${directory} can be written, ${formatBytes(free)} free`);
}
