import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileToken, ProvisionedKey, Secret, writeKeyFile } from 'antenna-sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../support/calls.js';
import { leaksOf } from '../support/leaks.js';

const KEY = 'AbCd1234.Qm9vZ2llTmlnaHRzQXRUaGVTdGFyZ2F6';
const OTHER = 'Zz991234.Zm9vZ2llTmlnaHRzQXRUaGVTdGFyZ2F6';
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'antenna-key-file-'));
  path = join(folder, 'api-key');
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});
const signal = new AbortController().signal;
const key = (): ProvisionedKey => new ProvisionedKey(new Secret(KEY));
/** Nothing but what the test put there: no half file, no temporary one. */
const files = (): string[] => readdirSync(folder).sort();

describe('writeKeyFile', () => {
  it.each([
    ['an opaque key', key],
    ['a Secret', () => new Secret(KEY)],
    ['a string', () => KEY],
  ])('writes %s so that fileToken reads it and nobody else can', async (_, make) => {
    const before = process.umask(0o000);
    try {
      await writeKeyFile(path, make());
    } finally {
      process.umask(before);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const token = await fileToken(path)({ reason: 'initial', signal });
    expect((token as Secret).reveal()).toBe(KEY);
    expect(files()).toEqual(['api-key']);
  });

  it('is no reveal: the key can be written before and after its one reveal', async () => {
    const made = key();
    await writeKeyFile(path, made);
    expect(made.revealed).toBe(false);
    expect(made.reveal()).toBe(KEY);
    await writeKeyFile(path, made);
    expect(readFileSync(path, 'utf8')).toBe(`${KEY}\n`);
  });

  it('replaces an old file at once, with a mode of its own, and tells its reader', async () => {
    writeFileSync(path, OTHER, { mode: 0o644 });
    const provider = fileToken(path);
    expect(((await provider({ reason: 'initial', signal })) as Secret).reveal()).toBe(OTHER);
    const before = lstatSync(path).ino;
    await writeKeyFile(path, key());
    expect(lstatSync(path).ino).not.toBe(before);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(((await provider({ reason: 'initial', signal })) as Secret).reveal()).toBe(KEY);
  });

  it('leaves an existing file alone when told so', async () => {
    writeFileSync(path, OTHER);
    const error = await failure(writeKeyFile(path, key(), { overwrite: false }));
    expect(error).toMatchObject({ name: 'KeyFileError', code: 'key_file_exists', problem: 'exists' });
    expect(readFileSync(path, 'utf8')).toBe(OTHER);
    await writeKeyFile(join(folder, 'new'), key(), { overwrite: false });
    expect(files()).toEqual(['api-key', 'new']);
  });

  it.each([
    [
      'symlink',
      () => {
        symlinkSync(join(folder, 'target'), path);
      },
    ],
    [
      'symlink',
      () => {
        writeFileSync(join(folder, 'target'), OTHER);
        symlinkSync('target', path);
      },
    ],
    [
      'directory',
      () => {
        mkdirSync(path);
      },
    ],
    [
      'no_folder',
      () => {
        path = join(folder, 'missing', 'api-key');
      },
    ],
    [
      'no_folder',
      () => {
        writeFileSync(path, OTHER);
        path = join(path, 'api-key');
      },
    ],
  ] as const)('refuses what would put the key elsewhere or nowhere: %s', async (problem, prepare) => {
    prepare();
    const before = files();
    const made = key();
    const error = await failure(writeKeyFile(path, made));
    expect(error).toMatchObject({ name: 'KeyFileError', problem });
    expect(error.message).toContain('The key is not lost');
    expect(files()).toEqual(before);
    if (before.includes('target')) expect(readFileSync(join(folder, 'target'), 'utf8')).toBe(OTHER);
    expect(made.reveal()).toBe(KEY);
  });

  it.each([undefined, '', 'two words', `${KEY}\n`, 42])(
    'refuses %j, which is no key, without quoting it',
    async (wrong) => {
      writeFileSync(path, OTHER);
      const error = await failure(writeKeyFile(path, wrong as never));
      expect(error).toMatchObject({ problem: 'bad_key' });
      expect(leaksOf(error, [KEY.slice(9)])).toEqual([]);
      expect(readFileSync(path, 'utf8')).toBe(OTHER);
    },
  );

  it.each(['', 'a\0b', undefined])('refuses the path %j', async (wrong) => {
    expect(await failure(writeKeyFile(wrong as never, key()))).toMatchObject({ problem: 'bad_path' });
  });

  it('lets two writers at once end with one whole key', async () => {
    const second = new ProvisionedKey(new Secret(OTHER));
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => writeKeyFile(path, index % 2 ? key() : second)),
    );
    expect([`${KEY}\n`, `${OTHER}\n`]).toContain(readFileSync(path, 'utf8'));
    expect(files()).toEqual(['api-key']);
  });
});

describe('a provisioned key', () => {
  it('is revealed once; the second time says what to do', () => {
    const made = key();
    expect(made.reveal()).toBe(KEY);
    expect(made.revealed).toBe(true);
    expect(() => made.reveal()).toThrow(/AbCd1234….*shown once.*rotateKey: true/);
  });

  it('shows its prefix at most, before and after', () => {
    const made = key();
    for (const value of [made, { nested: [made] }, Object.assign(new Error('x'), { key: made })]) {
      expect(leaksOf(value, [KEY.slice(9)])).toEqual([]);
    }
    made.reveal();
    expect(leaksOf(made, [KEY.slice(9)])).toEqual([]);
    expect(`${String(made)} ${JSON.stringify(made)}`).toBe('[key AbCd1234…] "[key AbCd1234…]"');
  });
});
