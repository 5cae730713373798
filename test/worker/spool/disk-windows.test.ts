import type * as fsPromises from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock, type Clock } from 'antenna-sdk';
import { NodeDisk } from '../../../src/worker/spool/disk.js';

/** How often each call of the file system is still refused, as a scanner has the file open. */
const refusals = new Map<string, number>();
const calls: string[] = [];

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fsPromises>();
  const scanned =
    <Args extends unknown[], Result>(name: string, work: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      calls.push(name);
      const left = refusals.get(name) ?? 0;
      refusals.set(name, left - 1);
      if (left > 0) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
      return work(...args);
    };
  return {
    ...real,
    open: scanned('open', real.open),
    readFile: scanned('readFile', real.readFile as (path: string) => Promise<unknown>),
    rename: scanned('rename', real.rename),
    stat: scanned('stat', real.stat as (path: string) => Promise<unknown>),
    unlink: scanned('unlink', real.unlink),
  };
});

/** Time passes as soon as somebody waits for it. */
const clock: Clock = { ...systemClock, schedule: (_, run) => systemClock.schedule(0, run) };

async function diskOn(platform: NodeJS.Platform): Promise<NodeDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'disk-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return new NodeDisk(folder, { platform, clock });
}

const countOf = (name: string): number => calls.filter((call) => call === name).length;

describe('a spool directory on Windows', () => {
  beforeEach(() => {
    refusals.clear();
    calls.length = 0;
  });

  it('gets the name, the content and the end of a file once a scanner lets go of it', async () => {
    const disk = await diskOn('win32');
    await disk.write('a.tmp', [Buffer.from('a')]);
    refusals.set('rename', 2).set('readFile', 1).set('unlink', 1);
    await disk.rename('a.tmp', 'a');
    expect(String(await disk.read('a'))).toBe('a');
    await disk.remove('a');
    expect(await disk.list()).toEqual([]);
    expect([countOf('rename'), countOf('readFile'), countOf('unlink')]).toEqual([3, 2, 2]);
  });

  it('is not synced, as Windows flushes no directory, nor opened, as it could not be removed then', async () => {
    const disk = await diskOn('win32');
    await disk.syncFolder();
    expect([countOf('open'), countOf('stat')]).toEqual([0, 0]);
    await disk.close();
  });

  it('is refused at once where a refusal is no scanner', async () => {
    const disk = await diskOn('linux');
    await disk.write('a.tmp', [Buffer.from('a')]);
    refusals.set('rename', 1);
    await expect(disk.rename('a.tmp', 'a')).rejects.toThrow('EPERM');
    expect(countOf('rename')).toBe(1);
  });
});
