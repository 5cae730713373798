import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { silentLogger, systemClock } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { ProcessGroup } from '../../../src/worker/executors/process-group.js';
import { until } from '../../support/worlds.js';
import { FROM_SOURCES, handler, listeningLogger } from './support.js';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const shell = (script: string, logger = silentLogger): ProcessGroup =>
  new ProcessGroup({ command: '/bin/sh', args: ['-c', script], logger });

/** Starts a shell that starts something itself and prints its pid. */
async function withGrandchild(): Promise<{ group: ProcessGroup; grandchild: number }> {
  const { logger, said } = listeningLogger();
  const group = shell('sleep 1000 & echo "pid $!"; wait', logger);
  await said('pid ');
  return { group, grandchild: Number(/pid (\d+)/.exec(group.lastLines.join('\n'))?.[1]) };
}

describe.skipIf(process.platform === 'win32')('ProcessGroup (skipped where there are no groups)', () => {
  it('ends with all that it has started', async () => {
    const { group, grandchild } = await withGrandchild();
    expect(isAlive(grandchild)).toBe(true);
    group.kill();
    expect(await group.exited).toBe('signal SIGKILL');
    await until(() => !isAlive(grandchild));
    expect(group.alive).toBe(false);
  });

  it('leaves nothing behind when only its leader dies', async () => {
    const { group, grandchild } = await withGrandchild();
    process.kill(group.pid ?? 0, 'SIGKILL');
    await group.exited;
    await until(() => !isAlive(grandchild));
  });

  it('is asked to end before it is made to', async () => {
    const { logger, said } = listeningLogger();
    const group = shell('trap "echo goodbye; exit 0" TERM; echo up; while :; do sleep 0.01; done', logger);
    await said('up');
    await group.end(systemClock, 20_000);
    expect(await group.exited).toBe('exit code 0');
    await said('goodbye');
  });

  it('is made to end when it does not listen', async () => {
    const { logger, said } = listeningLogger();
    const group = shell('trap "" TERM; echo up; while :; do sleep 0.01; done', logger);
    await said('up');
    await group.end(systemClock, 20);
    expect(await group.exited).toBe('signal SIGKILL');
  });

  it('says so when the command does not exist, and throws nothing', async () => {
    const group = new ProcessGroup({ command: '/no/such/program', logger: silentLogger });
    expect(await group.exited).toContain('ENOENT');
    await group.end(systemClock, 10);
  });

  it('does not outlive a parent that was killed', async () => {
    const parent = spawn(process.execPath, [...FROM_SOURCES, handler('group-parent.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });

  it('gets none of the credentials of the worker, and what it prints is logged without them', async () => {
    process.env['ANTENNA_API_KEY'] = 'abcdefgh.0123456789abcdef0123456789abcdef';
    try {
      const group = shell(
        'echo "key ${ANTENNA_API_KEY:-none}"; echo abcdefgh.0123456789abcdef0123456789abcdef',
      );
      await group.exited;
      await until(() => group.lastLines.length === 2);
      expect(group.lastLines).toEqual(['key none', '[redacted]']);
    } finally {
      delete process.env['ANTENNA_API_KEY'];
    }
  });
});
