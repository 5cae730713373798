import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  isDead,
  LOCK_BEAT_MS,
  LOCK_STALE_MS,
  SpoolLock,
  type LockHolder,
} from '../../../src/worker/spool/lock.js';
import { FROM_SOURCES } from '../executors/support.js';

let directory = '';
const ending: (() => Promise<void>)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
  vi.useRealTimers();
  // A beat may still be writing to it.
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
});

/** What a worker leaves that was killed before the machine was started again. */
const DEAD: LockHolder = { pid: 1, bootId: 'an earlier boot', startedAt: '1', hostname: hostname() };
const leave = (name: string, content: unknown = DEAD): Promise<void> =>
  writeFile(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));

function lockOf(options: ConstructorParameters<typeof SpoolLock>[1] = { tornMs: 60 }): SpoolLock {
  const lock = new SpoolLock(directory, options);
  ending.push(() => lock.release());
  return lock;
}

/** How many of the attempts took the lock; every other must have been told who holds it. */
async function takers(attempts: readonly Promise<void>[]): Promise<number> {
  const settled = await Promise.allSettled(attempts);
  const refused = settled.filter((result) => result.status === 'rejected');
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'spool_locked' });
  return settled.length - refused.length;
}

describe('SpoolLock', () => {
  it('is held by one, and free again when that one releases it', async () => {
    const [first, second] = [lockOf(), lockOf()];
    await first.acquire();
    await expect(second.acquire()).rejects.toThrow(`in use by process ${process.pid}`);
    await first.release();
    await second.acquire();
    await expect(first.acquire()).rejects.toThrow('give every worker a directory of its own');
  });

  it.each([
    ['of a dead process', 'lock.7', DEAD],
    ['of an earlier version of the package', 'lock', DEAD],
    ['that was cut off while it was written', 'lock.3', '{"pid":'],
    ['that is empty', 'lock.3', ''],
    ['that was released', 'lock.9', '{"released":true}'],
  ])('takes over a lock %s', async (_, name, content) => {
    await leave(name, content);
    await lockOf().acquire();
    await expect(lockOf().acquire()).rejects.toMatchObject({ code: 'spool_locked' });
    expect(await readdir(directory)).not.toContain(name);
  });

  it('leaves a holder alone that is just writing its file', async () => {
    await leave('lock.1', '');
    const second = lockOf({ tornMs: 60_000 }).acquire();
    const mine = await ownFile();
    await leave('lock.1', mine);
    await expect(second).rejects.toMatchObject({ code: 'spool_locked' });
  });

  it('takes over from a holder on another machine only after a minute of silence', async () => {
    await leave('lock.1', { ...DEAD, hostname: 'elsewhere' });
    await expect(lockOf().acquire()).rejects.toThrow('process 1 on elsewhere');
    const then = new Date(Date.now() - LOCK_STALE_MS - 1_000);
    await utimes(join(directory, 'lock.1'), then, then);
    await lockOf().acquire();
  });

  it('is not fooled by a number that is free again: whoever slept over a takeover finds the higher one', async () => {
    await leave('lock.5');
    const [first, second] = [lockOf(), lockOf()];
    await first.acquire();
    await first.release();
    await second.acquire();
    // What one would do that had found lock.5 stale, and slept since.
    await leave('lock.6', await ownFile());
    await rm(join(directory, 'lock.6'));
    await expect(lockOf().acquire()).rejects.toMatchObject({ code: 'spool_locked' });
    expect(await readdir(directory)).toEqual(['lock.7']);
  });

  it('takes the lock again after the directory was made anew', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const lost: unknown[] = [];
    await lockOf({ onLost: (error) => lost.push(error) }).acquire();
    await rm(directory, { recursive: true });
    vi.advanceTimersByTime(LOCK_BEAT_MS);
    await mkdir(directory);
    await vi.waitFor(async () => {
      vi.advanceTimersByTime(LOCK_BEAT_MS);
      expect(await readdir(directory)).toEqual(['lock.1']);
    });
    expect(lost).toEqual([]);
  });

  it('says so when another took it in a directory that was made anew', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const lost: unknown[] = [];
    await lockOf({ onLost: (error) => lost.push(error) }).acquire();
    await rm(directory, { recursive: true });
    await mkdir(directory);
    await lockOf().acquire();
    await vi.waitFor(() => {
      vi.advanceTimersByTime(LOCK_BEAT_MS);
      expect(lost[0]).toMatchObject({ code: 'spool_locked' });
    });
  });
});

/** The content of a file of this process. */
async function ownFile(): Promise<string> {
  const other = await mkdtemp(join(tmpdir(), 'lock-'));
  const lock = new SpoolLock(other);
  await lock.acquire();
  const content = await readFile(join(other, 'lock.1'), 'utf8');
  await lock.release();
  await rm(other, { recursive: true });
  return content;
}

describe('a stale lock that many find at once', () => {
  it.each([
    ['of a dead process', 'lock.7', DEAD],
    ['of an earlier version', 'lock', DEAD],
    ['cut off', 'lock.7', ''],
  ])('goes to one of them: %s', async (_, name, content) => {
    for (let round = 0; round < 25; round++) {
      await rm(directory, { recursive: true });
      await mkdir(directory);
      await leave(name, content);
      const locks = Array.from({ length: 16 }, () => new SpoolLock(directory, { tornMs: 40 }));
      expect(await takers(locks.map((lock) => lock.acquire()))).toBe(1);
      for (const lock of locks) await lock.release();
    }
  });

  it('goes to one of twelve processes, and to another when that one is killed', async () => {
    const contenders = await Promise.all(Array.from({ length: 12 }, start));
    for (let round = 0; contenders.length > 6; round++) {
      if (round === 0) await leave('lock.1');
      const answers = await Promise.all(contenders.map(({ ask }) => ask('take')));
      expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
      expect(new Set(answers)).toEqual(new Set(['held', 'spool_locked']));
      const [holder] = contenders.splice(answers.indexOf('held'), 1);
      await holder?.kill();
    }
  }, 60_000);
});

interface Contender {
  readonly ask: (line: string) => Promise<string>;
  readonly kill: () => Promise<void>;
}

async function start(): Promise<Contender> {
  const program = fileURLToPath(new URL('./lock-program.ts', import.meta.url));
  const child = spawn(process.execPath, [...FROM_SOURCES, program, directory]);
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout });
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  ending.push(kill);
  const next = async (): Promise<string> => String(((await once(lines, 'line')) as unknown[])[0]);
  expect(await next()).toBe('ready');
  return {
    ask: (line) => {
      const answer = next();
      child.stdin.write(`${line}\n`);
      return answer;
    },
    kill,
  };
}

describe('isDead', () => {
  const me: LockHolder = { pid: 10, bootId: 'b', startedAt: '100', hostname: 'here' };
  const alive = { runs: true, startedAt: '100', silentMs: 0, platform: 'linux' as const };
  // Windows tells neither the boot nor when a process started.
  const unknown: LockHolder = { ...me, bootId: '', startedAt: '' };
  const windows = { runs: true, startedAt: undefined, silentMs: 0, platform: 'win32' as const };

  it.each([
    ['another boot', { ...me, bootId: 'a' }, alive, true],
    ['ourselves', me, alive, false],
    ['an earlier process with our pid', { ...me, startedAt: '90' }, alive, true],
    ['another that runs', { ...me, pid: 11 }, alive, false],
    ['another that does not run', { ...me, pid: 11 }, { ...alive, runs: false }, true],
    ['a pid that is used again', { ...me, pid: 11 }, { ...alive, startedAt: '200' }, true],
    ['another machine', { ...me, hostname: 'there' }, { ...alive, runs: false }, false],
    ['a silent one elsewhere', { ...me, hostname: 'there' }, { ...alive, silentMs: LOCK_STALE_MS + 1 }, true],
    ['another that runs on Windows', { ...unknown, pid: 11 }, windows, false],
    ['one that ended on Windows', { ...unknown, pid: 11 }, { ...windows, runs: false }, true],
    [
      'a pid that may be used again on Windows',
      { ...unknown, pid: 11 },
      { ...windows, silentMs: LOCK_STALE_MS + 1 },
      true,
    ],
    [
      'a silent one that may be at work elsewhere than on Windows',
      { ...unknown, pid: 11 },
      { ...windows, silentMs: LOCK_STALE_MS + 1, platform: 'darwin' as const },
      false,
    ],
  ])('%s', (_, holder, facts, dead) => {
    const ours = facts.startedAt === undefined ? unknown : me;
    expect(isDead(holder, ours, facts)).toBe(dead);
  });
});
