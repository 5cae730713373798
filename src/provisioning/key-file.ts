import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Secret } from '../auth/secret.js';
import { KeyFileError } from '../errors/credential.js';
import { whileHeld } from '../system/held-files.js';
import { checkOptions, isBoolean } from '../errors/arguments.js';
import { ProvisionedKey } from '../auth/provisioned-key.js';

/** For the owner alone. */
const MODE = 0o600;

/** Options of {@link writeKeyFile}. */
export interface WriteKeyFileOptions {
  /**
   * Whether a file that is there may be replaced. Default true: it is the rotation's way, and a `fileToken` reads the new key with its
   * next request. With false an existing file is an error, and stays as it is.
   */
  readonly overwrite?: boolean | undefined;
}

/**
 * Writes a key to the file that `fileToken(path)` reads: mode 0600, one line. The file is there whole or not at all: the key goes to a
 * temporary file in the same folder, to the disk, and then takes the name. Whoever reads meanwhile gets the old key or the new one;
 * when anything fails, the old file stays.
 *
 * On Windows a mode means nothing: the access list that the file gets from its folder says who may read it. A folder in the profile of the
 * worker's user, such as `%LOCALAPPDATA%`, keeps others out.
 *
 * An opaque key stays opaque: this is no `reveal()`, and works before and after one.
 * @throws AntennaConfigError when an option is wrong.
 * @throws KeyFileError when the path is a symbolic link, a directory or anything else that is no file, when it exists and `overwrite` is
 * false, or when it cannot be written; `code` says which. The key is not lost: it is still in `key`.
 */
export async function writeKeyFile(
  path: string,
  key: ProvisionedKey | Secret | string,
  options: WriteKeyFileOptions = {},
): Promise<void> {
  checkOptions('Invalid writeKeyFile options', options, { overwrite: isBoolean });
  const { overwrite = true } = options;
  const text = textOf(path, key);
  const target = resolve(path);
  await assertReplaceable(target, overwrite);
  const temporary = join(dirname(target), `.${randomUUID()}.tmp`);
  try {
    await writeWhole(temporary, `${text}\n`);
    // Whoever reads the old key at this moment holds it on Windows.
    await whileHeld(async () => {
      // Between the first look and here somebody may have put a link or a file there.
      await assertReplaceable(target, overwrite);
      await rename(temporary, target);
    });
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw KeyFileError.from(target, error);
  }
  await syncFolder(dirname(target));
}

function textOf(path: unknown, key: unknown): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new KeyFileError('bad_path', 'writeKeyFile needs the path of a file');
  }
  let text: unknown = key;
  if (key instanceof ProvisionedKey) text = ProvisionedKey.open(key).reveal();
  else if (key instanceof Secret) text = key.reveal();
  // Never quoted: what is wrong with it may be one character.
  if (typeof text !== 'string' || text === '' || /[\u0000-\u0020\u007f-\u{10ffff}]/u.test(text)) {
    throw new KeyFileError(
      'bad_key',
      `${path} was not written: there is no usable key. A result's \`key\` is undefined when the existing key was kept`,
    );
  }
  return text;
}

/** Renaming replaces a link itself, never its target; but a link means that somebody else decides where the secret lives. */
async function assertReplaceable(target: string, overwrite: boolean): Promise<void> {
  let found;
  try {
    found = await lstat(target);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw KeyFileError.from(target, error);
  }
  if (found.isSymbolicLink()) throw new KeyFileError('symlink', target);
  if (found.isDirectory()) throw new KeyFileError('directory', target);
  if (!found.isFile()) throw new KeyFileError('not_a_file', target);
  if (!overwrite) throw new KeyFileError('exists', target);
}

async function writeWhole(path: string, text: string): Promise<void> {
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
  // Absent on Windows, where it is undefined and O_EXCL refuses links by itself.
  const file = await open(
    path,
    O_CREAT | O_EXCL | O_WRONLY | ((O_NOFOLLOW as number | undefined) ?? 0),
    MODE,
  );
  try {
    // The mode of `open` is cut by the umask, never widened; this one is exact.
    await file.chmod(MODE);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the new name survive a power failure. Where a folder cannot be synced (Windows, some network disks) it is done without. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // The file itself is whole and in place.
  }
}
