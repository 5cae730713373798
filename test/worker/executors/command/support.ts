import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { CommandExecutor, type CommandExecutorOptions } from 'antenna-sdk';
import { afterEach } from 'vitest';
import { FAKE } from './fake-path.js';
import type { BatchOutcome } from '../../../../src/worker/executors/executor.js';

const open: CommandExecutor[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((executor) => executor.close()));
});

/** The handler of these tests in a child process; it is closed after the test. */
export function fake(
  options: Partial<CommandExecutorOptions> & { mode?: 'image' | 'batch'; start?: string } = {},
): CommandExecutor {
  const { mode = 'image', start = 'well', ...more } = options;
  const executor = new CommandExecutor({
    command: process.execPath,
    args: [FAKE, mode, start],
    random: () => 0,
    ...more,
  });
  open.push(executor);
  return executor;
}

/** Also false for one that has ended and was not yet reaped, as under a container's first process. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const status = `/proc/${pid}/stat`;
    return !existsSync(status) || !/\) Z /.test(readFileSync(status, 'utf8'));
  } catch {
    return false;
  }
}

export function pids(outcomes: readonly BatchOutcome[]): number[] {
  return outcomes.flatMap((outcome) =>
    outcome.ok ? [(outcome.result as unknown as { pid: number }).pid] : [],
  );
}

export function errorOf(outcome: BatchOutcome | undefined): unknown {
  return outcome && !outcome.ok ? outcome.error : undefined;
}

/** Open files of this process, where the system tells; sockets and pipes among them. */
export function openFiles(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
}

/** Processes that this one started and nobody reaped. */
export function zombies(): string[] {
  if (!existsSync('/proc/self/stat')) return [];
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return stat.includes(') Z ') && stat.split(') Z ')[1]?.startsWith(`${process.pid} `) ? [stat] : [];
    } catch {
      return [];
    }
  });
}

/** Whether Python is there, and the modules. */
export function pythonHas(...modules: readonly string[]): boolean {
  const code = [
    'import sys',
    'assert sys.version_info >= (3, 9)',
    ...modules.map((name) => `import ${name}`),
  ].join('\n');
  return spawnSync('python3', ['-c', code], { stdio: 'ignore' }).status === 0;
}
