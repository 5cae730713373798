import * as realFs from 'node:fs';
import type * as fsPromises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProvisionedKey, Secret, writeKeyFile } from 'antenna-sdk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { failure } from '../support/calls.js';
import { leaksOf } from '../support/leaks.js';
import { onPlatform } from '../support/platform.js';

const KEY = 'AbCd1234.Qm9vZ2llTmlnaHRzQXRUaGVTdGFyZ2F6';
const OLD = 'Zz991234.Zm9vZ2llTmlnaHRzQXRUaGVTdGFyZ2F6';

/** The call of the file system that fails, with which code, and what happens just before it. */
let fault: { call: string; code: string; before?: () => void; times?: number } | undefined;
const calls: string[] = [];
const enter = (call: string): void => {
  calls.push(call);
  if (fault?.call !== call) return;
  if (fault.times === 0) return;
  if (fault.times !== undefined) fault.times -= 1;
  fault.before?.();
  if (fault.code !== '') throw Object.assign(new Error(`${fault.code}: ${KEY}`), { code: fault.code });
};

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fsPromises>();
  const watch = (file: fsPromises.FileHandle, kind: string): fsPromises.FileHandle =>
    new Proxy(file, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...rest: unknown[]): Promise<unknown> => {
          // The descriptor is closed even when closing fails.
          if (name === 'close') await target.close();
          enter(`${kind}.${String(name)}`);
          return name === 'close' ? undefined : (value.apply(target, rest) as unknown);
        };
      },
    });
  return {
    ...real,
    open: async (path: string, flags: string | number, mode?: number) => {
      const kind = flags === 'r' ? 'folder' : 'file';
      enter(`${kind}.open`);
      return watch(await real.open(path, flags, mode), kind);
    },
    lstat: async (path: string) => {
      enter('lstat');
      return real.lstat(path);
    },
    rename: async (from: string, to: string) => {
      enter('rename');
      return real.rename(from, to);
    },
  };
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = realFs.mkdtempSync(join(tmpdir(), 'antenna-key-file-'));
  path = join(folder, 'api-key');
  realFs.writeFileSync(path, OLD, { mode: 0o600 });
  calls.length = 0;
});
afterEach(() => {
  fault = undefined;
  realFs.rmSync(folder, { recursive: true });
});
const key = (): ProvisionedKey => new ProvisionedKey(new Secret(KEY));

describe('writeKeyFile when the file system fails', () => {
  it.each([
    ['lstat', 'EACCES', 'no_access'],
    ['file.open', 'EROFS', 'no_access'],
    ['file.open', 'EEXIST', 'failed'],
    ['file.chmod', 'EPERM', 'no_access'],
    ['file.writeFile', 'ENOSPC', 'no_space'],
    ['file.writeFile', 'EIO', 'failed'],
    ['file.sync', 'EDQUOT', 'no_space'],
    ['file.close', 'EIO', 'failed'],
    ['rename', 'EISDIR', 'directory'],
    ['rename', 'EACCES', 'no_access'],
  ])(
    'at %s with %s: keeps the old file, leaves no other, keeps the key, tells none of it',
    async (call, code, problem) => {
      fault = { call, code };
      const made = key();
      const error = await failure(writeKeyFile(path, made));
      expect(error).toMatchObject({ name: 'KeyFileError', problem });
      expect(leaksOf(error, [KEY.slice(9), OLD.slice(9)])).toEqual([]);
      expect(realFs.readFileSync(path, 'utf8')).toBe(OLD);
      expect(realFs.readdirSync(folder)).toEqual(['api-key']);
      fault = undefined;
      await writeKeyFile(path, made);
      expect(realFs.readFileSync(path, 'utf8')).toBe(`${KEY}\n`);
    },
  );

  it('syncs the content before the name, and the folder after it', async () => {
    await writeKeyFile(path, key());
    const order = calls.filter((call) => /sync|rename|writeFile/.test(call));
    expect(order).toEqual(['file.writeFile', 'file.sync', 'rename', 'folder.sync']);
  });

  it.each(['folder.open', 'folder.sync'])('does without %s where folders cannot be synced', async (call) => {
    fault = { call, code: 'EINVAL' };
    await writeKeyFile(path, key());
    expect(realFs.readFileSync(path, 'utf8')).toBe(`${KEY}\n`);
  });

  it('does not follow or replace a link that is put there while it writes', async () => {
    const target = join(folder, 'target');
    realFs.writeFileSync(target, OLD);
    fault = {
      call: 'file.sync',
      code: '',
      before: () => {
        realFs.rmSync(path);
        realFs.symlinkSync(target, path);
      },
    };
    expect(await failure(writeKeyFile(path, key()))).toMatchObject({ problem: 'symlink' });
    expect(realFs.readFileSync(target, 'utf8')).toBe(OLD);
    expect(realFs.readdirSync(folder).sort()).toEqual(['api-key', 'target']);
  });
});

describe('writeKeyFile on Windows', () => {
  it.each(['EPERM', 'EACCES', 'EBUSY'])(
    'takes the name when whoever reads the old key has closed it (%s)',
    async (code) => {
      onPlatform('win32');
      fault = { call: 'rename', code, times: 2 };
      await writeKeyFile(path, key());
      expect(calls.filter((call) => call === 'rename')).toHaveLength(3);
      expect(realFs.readFileSync(path, 'utf8')).toBe(`${KEY}\n`);
      expect(realFs.readdirSync(folder)).toEqual(['api-key']);
    },
  );

  it('still replaces no link that is put there while it waits', async () => {
    onPlatform('win32');
    const target = join(folder, 'target');
    realFs.writeFileSync(target, OLD);
    const before = (): void => {
      realFs.rmSync(path);
      realFs.symlinkSync(target, path);
    };
    fault = { call: 'rename', code: 'EBUSY', times: 1, before };
    expect(await failure(writeKeyFile(path, key()))).toMatchObject({ problem: 'symlink' });
    expect(realFs.readFileSync(target, 'utf8')).toBe(OLD);
  });

  it('is told at once elsewhere', async () => {
    onPlatform('linux');
    fault = { call: 'rename', code: 'EACCES', times: 1 };
    expect(await failure(writeKeyFile(path, key()))).toMatchObject({ problem: 'no_access' });
    expect(calls.filter((call) => call === 'rename')).toHaveLength(1);
  });
});
