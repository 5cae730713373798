import { AntennaError, type Delivered } from './base.js';

/**
 * Why there is no credential: the provider `failed` (threw, or its issuer is away), ran into its `timeout`, gave something that is
 * not a usable token (`invalid`), or a token that was over already (`expired`).
 */
export type CredentialProblem = 'failed' | 'timeout' | 'invalid' | 'expired';

/**
 * Thrown when a token provider gives no usable token. Nothing was sent.
 *
 * Its message names the cause and the next step, and never holds what a provider threw: HTTP clients put client secrets and
 * whole requests into their errors. For the same reason there is no `cause`. A provider whose own words shall be shown
 * throws a `CredentialError` itself.
 */
export class CredentialError extends AntennaError {
  static override readonly className: string = 'CredentialError';
  readonly problem: CredentialProblem;
  /** Always `no`: without a credential nothing is sent. */
  readonly delivered: Delivered = 'no';
  /** Milliseconds until the provider is asked again; undefined when the next request may ask at once. */
  readonly retryAfterMs: number | undefined;

  /** @param message - what happened and what to do, without secrets: it is logged as it stands. */
  constructor(message: string, options: { problem?: CredentialProblem; retryAfterMs?: number } = {}) {
    super({ code: 'credential', message });
    this.problem = options.problem ?? 'failed';
    this.retryAfterMs = options.retryAfterMs;
  }
}

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

/** A generated key was asked for a second time. It is shown once, as the server shows it once. */
export class KeyRevealedError extends AntennaError {
  static override readonly className: string = 'KeyRevealedError';

  /** @param prefix - the key's public prefix. */
  constructor(prefix: string) {
    super({
      code: 'key_revealed',
      message:
        `The key ${prefix}… was revealed before and is shown once: use the text you took then. If it is lost, provision ` +
        'again with rotateKey: true, which ends this key at once',
    });
  }
}
