import { AntennaError } from './base.js';

/**
 * Why a key file was not written: the path is a `symlink`, a `directory` or another thing that is `not_a_file`; it `exists` and may not
 * be replaced; the folder is missing (`no_folder`) or may not be written (`no_access`); the disk is full (`no_space`); the argument is a
 * `bad_path` or a `bad_key`; anything else `failed`.
 */
export type KeyFileProblem =
  | 'symlink'
  | 'directory'
  | 'not_a_file'
  | 'exists'
  | 'no_folder'
  | 'no_access'
  | 'no_space'
  | 'bad_path'
  | 'bad_key'
  | 'failed';

const WORDS: Partial<Record<KeyFileProblem, string>> = {
  symlink: 'is a symbolic link, which is not followed or replaced: give the path of the file itself',
  directory: 'is a directory: give the path of a file in it',
  not_a_file: 'is no ordinary file (a device, a pipe or a socket): give another path',
  exists: 'exists and was left as it is: pass overwrite: true to replace it, or give another path',
  no_folder: 'is in a folder that does not exist: create it, with access for the worker’s user only',
  no_access: 'cannot be written: this process may not create files in its folder',
  no_space: 'cannot be written: the disk or the quota is full',
};
const BY_CODE: Readonly<Record<string, KeyFileProblem>> = {
  ENOENT: 'no_folder',
  ENOTDIR: 'no_folder',
  EACCES: 'no_access',
  EPERM: 'no_access',
  EROFS: 'no_access',
  ENOSPC: 'no_space',
  EDQUOT: 'no_space',
  EISDIR: 'directory',
  ELOOP: 'symlink',
};

/** A key was not written to its file; a file that was there is untouched, and the key is still in the object that held it. */
export class KeyFileError extends AntennaError {
  static override readonly className: string = 'KeyFileError';
  readonly problem: KeyFileProblem;

  /** @param subject - the path, or a whole sentence where there is no wording for the problem. */
  constructor(problem: KeyFileProblem, subject: string) {
    const words = WORDS[problem];
    super({
      code: `key_file_${problem}`,
      message: words === undefined ? subject : `The key file ${subject} ${words}. The key is not lost`,
    });
    this.problem = problem;
  }

  /** Names what the file system said by its code alone: the message of a write error may quote what was written. */
  static from(path: string, error: unknown): KeyFileError {
    if (error instanceof KeyFileError) return error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const problem = BY_CODE[code];
    return problem === undefined
      ? new KeyFileError('failed', `The key file ${path} could not be written (${code}). The key is not lost`)
      : new KeyFileError(problem, path);
  }
}
