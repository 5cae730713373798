import type * as childProcess from 'node:child_process';
import { silentLogger, systemClock } from 'antenna-sdk';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ProcessGroup } from '../../../src/worker/executors/process-group.js';

const spawned: { readonly command: string; readonly detached: unknown; readonly windowsHide: unknown }[] = [];
const treeKills: (readonly string[])[] = [];
let hasTaskkill = true;

vi.mock('node:child_process', async (original) => {
  const real = await original<typeof childProcess>();
  return {
    ...real,
    spawn: (command: string, args: string[], options: childProcess.SpawnOptions) => {
      spawned.push({ command, detached: options.detached, windowsHide: options.windowsHide });
      return real.spawn(command, args, options);
    },
    execFile: (command: string, args: string[], _: unknown, done: (error: Error | null) => void) => {
      treeKills.push([command, ...args]);
      if (!hasTaskkill) {
        done(new Error('ENOENT'));
        return;
      }
      process.kill(Number(args[1]), 'SIGKILL');
      done(null);
    },
  };
});

function sleeping(): ProcessGroup {
  const group = new ProcessGroup({
    command: process.execPath,
    args: ['-e', 'setInterval(() => undefined, 1000)'],
    logger: silentLogger,
    platform: 'win32',
  });
  onTestFinished(() => {
    if (group.alive && group.pid !== undefined) process.kill(group.pid, 'SIGKILL');
  });
  return group;
}

describe('a process on Windows', () => {
  beforeEach(() => {
    spawned.length = 0;
    treeKills.length = 0;
    hasTaskkill = true;
  });

  it('is started in the job that ends with the worker, and without a shell that watches it', async () => {
    const group = sleeping();
    expect(spawned).toEqual([{ command: process.execPath, detached: false, windowsHide: true }]);
    group.kill();
    await group.exited;
  });

  it('is ended with all that it has started', async () => {
    const group = sleeping();
    const pid = String(group.pid);
    group.kill();
    await group.exited;
    expect(treeKills).toEqual([
      [expect.stringMatching(/\\System32\\taskkill\.exe$/), '/PID', pid, '/T', '/F'],
    ]);
    // Its number may be somebody else's by now.
    group.kill();
    expect(treeKills).toHaveLength(1);
  });

  it('is ended alone where the tree cannot be', async () => {
    hasTaskkill = false;
    const group = sleeping();
    group.kill();
    expect(await group.exited).toBe('signal SIGKILL');
  });

  it('is ended at once when it should end, as nothing can ask it to', async () => {
    const group = sleeping();
    await group.end(systemClock, 3_600_000);
    expect(treeKills).toHaveLength(1);
  });

  it('is not tried when it is a batch file, which Node refuses without saying why', () => {
    const start = () => new ProcessGroup({ command: 'npx.cmd', logger: silentLogger, platform: 'win32' });
    expect(start).toThrow(/npx\.cmd cannot be started.*give the program that it starts/);
    expect(start).toThrow(expect.objectContaining({ code: 'handler_start' }));
    expect(spawned).toEqual([]);
  });

  it('says what is looked for when it is not found', async () => {
    const group = new ProcessGroup({ command: 'no-such-command', logger: silentLogger, platform: 'win32' });
    expect(await group.exited).toMatch(/ENOENT: on Windows only \.exe files are found/);
  });
});
