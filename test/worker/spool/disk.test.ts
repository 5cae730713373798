import { mkdir, mkdtemp, readdir, readlink, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { NodeDisk, withoutFirst } from '../../../src/worker/spool/disk.js';

const folders: string[] = [];

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'disk-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

describe('NodeDisk', () => {
  it('writes more parts than one system call takes, whole and in order, for nobody else to read', async () => {
    const folder = await emptyFolder();
    const disk = new NodeDisk(folder);
    const parts = Array.from({ length: 3_000 }, (_, index) =>
      Buffer.from(index % 7 === 0 ? '' : `${index},`),
    );
    await disk.write('a', parts);
    expect(await disk.read('a')).toEqual(Buffer.concat(parts));
    expect((await stat(join(folder, 'a'))).mode & 0o077).toBe(0);
  });

  it('never writes over a file', async () => {
    const disk = new NodeDisk(await emptyFolder());
    await disk.write('a', [Buffer.from('first')]);
    await expect(disk.write('a', [Buffer.from('second')])).rejects.toThrow('EEXIST');
    expect(String(await disk.read('a'))).toBe('first');
  });
});

/** Where this process's open files are; only Linux lists them as files. */
async function openFiles(): Promise<string[]> {
  const handles = await readdir('/proc/self/fd');
  return Promise.all(handles.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
}

describe('making names durable', () => {
  it('works for all who ask at once, fails for all when there is no directory, and works again once there is', async () => {
    const folder = await emptyFolder();
    const disk = new NodeDisk(join(folder, 'spool'));
    const all = () => Promise.allSettled(Array.from({ length: 5 }, () => disk.syncFolder()));
    const statuses = async () => [...new Set((await all()).map(({ status }) => status))];
    expect(await statuses()).toEqual(['rejected']);
    await disk.prepare([]);
    expect(await statuses()).toEqual(['fulfilled']);
    expect(await statuses()).toEqual(['fulfilled']);
    await disk.close();
    await disk.close();
  });

  it.skipIf(process.platform !== 'linux')(
    'leaves the directory open to nobody, also when asked after the end',
    async () => {
      const folder = await emptyFolder();
      const disk = new NodeDisk(folder);
      const isOpen = async (): Promise<boolean> => (await openFiles()).includes(folder);
      await disk.syncFolder();
      expect(await isOpen()).toBe(true);
      const queued = [disk.syncFolder(), disk.close()];
      await Promise.all(queued);
      await disk.syncFolder();
      expect(await isOpen()).toBe(false);
    },
  );

  it.skipIf(process.platform !== 'linux')(
    'follows the name: a directory that was removed and made again, or replaced, is synced, not what it was',
    async () => {
      const folder = join(await emptyFolder(), 'spool');
      const disk = new NodeDisk(folder);
      await disk.prepare([]);
      await disk.syncFolder();
      await rm(folder, { recursive: true });
      await mkdir(folder);
      await disk.syncFolder();
      expect(await openFiles()).toContain(folder);
      expect(await openFiles()).not.toContain(`${folder} (deleted)`);
      await rename(folder, `${folder}.old`);
      await mkdir(folder);
      await disk.syncFolder();
      expect(await openFiles()).toContain(folder);
      expect(await openFiles()).not.toContain(`${folder}.old`);
      await disk.close();
    },
  );

  it('makes a directory again that somebody removed, with its folders', async () => {
    const folder = join(await emptyFolder(), 'spool');
    const disk = new NodeDisk(folder);
    await disk.prepare(['dead']);
    await rm(folder, { recursive: true });
    await disk.write('a', [Buffer.from('a')]);
    await disk.rename('a', 'dead/a');
    expect(await disk.list('dead')).toEqual(['a']);
    await rm(join(folder, 'dead'), { recursive: true });
    await disk.write('b', [Buffer.from('b')]);
    await disk.rename('b', 'dead/b');
    expect((await stat(folder)).mode & 0o077).toBe(0);
    await disk.close();
  });

  it('removes what is there, and minds nothing that is not', async () => {
    const disk = new NodeDisk(await emptyFolder());
    await disk.write('a', [Buffer.from('a')]);
    await disk.remove('a');
    await disk.remove('a');
    expect(await disk.list()).toEqual([]);
  });
});

describe('what is left after a part was written', () => {
  it('is all bytes after it, wherever the disk stopped', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 9 })),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (raw, share) => {
          const parts = raw.map((bytes) => Buffer.from(bytes));
          const whole = Buffer.concat(parts);
          const written = Math.floor(share * whole.length);
          const rest = withoutFirst(parts, written);
          expect(Buffer.concat(rest)).toEqual(whole.subarray(written));
          expect(rest.every(({ length }) => length > 0)).toBe(true);
        },
      ),
    );
  });
});
