import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileToken, type FileTokenOptions, type TokenReason } from 'antenna-sdk';
import { createTestClock } from 'antenna-sdk/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Credential } from '../../src/auth/credential.js';
import { readAnswer } from '../../src/auth/token-answer.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'antenna-token-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const path = (): string => join(folder, 'token');
function reader(options: FileTokenOptions = {}, file = path()) {
  const provider = fileToken(file, options);
  return async (reason: TokenReason = 'initial'): Promise<string> => {
    const answer = await provider({ reason, signal: new AbortController().signal });
    return Credential.open(readAnswer(answer, 0, undefined).credential).secret;
  };
}

describe('fileToken', () => {
  it('drops one line break at the end, of either kind', async () => {
    writeFileSync(path(), 'one\n');
    expect(await reader()()).toBe('one');
    writeFileSync(path(), 'two\r\n');
    expect(await reader()()).toBe('two');
    writeFileSync(path(), 'three\n\n');
    await expect(reader()()).rejects.toThrow(/line break/);
  });

  it('sees a file that was rewritten, and one that was renamed over it with an older time', async () => {
    writeFileSync(path(), 'one');
    const read = reader();
    expect(await read()).toBe('one');
    writeFileSync(path(), 'two');
    expect(await read()).toBe('two');
    writeFileSync(join(folder, 'next'), 'six');
    utimesSync(join(folder, 'next'), 0, 0);
    renameSync(join(folder, 'next'), path());
    expect(await read()).toBe('six');
  });

  it('follows the swap of `..data` by which Kubernetes renews a secret', async () => {
    for (const version of ['v1', 'v2']) {
      mkdirSync(join(folder, `..${version}`));
      writeFileSync(join(folder, `..${version}`, 'token'), `token-of-${version}`);
    }
    symlinkSync('..v1', join(folder, '..data'));
    symlinkSync(join('..data', 'token'), path());
    const read = reader();
    expect(await read()).toBe('token-of-v1');
    symlinkSync('..v2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    rmSync(join(folder, '..v1'), { recursive: true });
    expect(await read()).toBe('token-of-v2');
  });

  it('keeps the last token while the file is missing or empty, for a minute and no longer', async () => {
    const clock = createTestClock();
    writeFileSync(path(), 'one');
    const read = reader({ clock });
    await read();
    writeFileSync(path(), '');
    expect(await read()).toBe('one');
    rmSync(path());
    expect(await read('rejected')).toBe('one');
    await clock.advance(59_999);
    expect(await read()).toBe('one');
    await clock.advance(1);
    await expect(read()).rejects.toThrow(/does not exist/);
    writeFileSync(path(), 'two');
    expect(await read()).toBe('two');
  });

  it('says what is wrong with the path, never what is in the file', async () => {
    await expect(reader()()).rejects.toThrow(/does not exist: check the path/);
    await expect(reader({}, folder)()).rejects.toThrow(/is a directory/);
    writeFileSync(path(), 'x'.repeat(70_000));
    await expect(reader()()).rejects.toThrow(/70000 bytes/);
    writeFileSync(path(), '');
    await expect(reader()()).rejects.toThrow(/is empty/);
  });
});
