import { open } from 'node:fs/promises';
import { CredentialError } from '../errors/credential.js';
import { checkArguments, checkOptions, isClock, isText, isWait } from '../errors/arguments.js';
import { whileHeld } from '../system/held-files.js';
import { systemClock, type Clock } from '../time/clock.js';
import { Secret } from '../auth/secret.js';
import type { TokenProvider, TokenRequest } from '../auth/token-provider.js';

/** No token is longer; what is longer is the wrong file. */
const MAX_FILE_BYTES = 65_536;
/** The last token serves this long while its file is missing or empty. A rotation takes milliseconds; kubelet retries within a minute. */
const KEEP_MS = 60_000;

/** Options of {@link fileToken}. */
export interface FileTokenOptions {
  /** Milliseconds for which the last token serves while the file cannot be read. Default 60,000. */
  readonly keepMs?: number;
  /** Source of time, for tests. */
  readonly clock?: Clock;
}

interface Read {
  /** Identity and version of the file: a renamed file has a new inode, a rewritten one a new time or size. */
  readonly version: string;
  readonly token: Secret;
}

/**
 * A provider that reads a file, such as a Docker or Kubernetes secret, and reads it again whenever it changes: rewritten in place,
 * replaced by a rename, or behind a symbolic link that is swapped, as kubelet does (`..data`). One line break at the end is dropped.
 *
 * After a 401 the file is read in any case. While it is missing or empty, the last token serves for `keepMs`.
 * @throws AntennaConfigError when the path is none, or naming every wrong option.
 */
export function fileToken(path: string, options: FileTokenOptions = {}): TokenProvider {
  checkArguments({ path }, { path: isText });
  checkOptions('Invalid fileToken options', options, { keepMs: isWait, clock: isClock });
  const { keepMs = KEEP_MS, clock = systemClock } = options;
  let last: Read | undefined;
  let lastGoodMs = 0;
  return async ({ reason }: TokenRequest) => {
    try {
      last = await readIfChanged(path, reason === 'rejected' ? undefined : last, clock);
      lastGoodMs = clock.now();
    } catch (error) {
      if (last === undefined || clock.now() - lastGoodMs >= keepMs) throw explain(path, error);
    }
    return last.token;
  };
}

/** Version and content come from one open file: between a `stat` and a `read` by name the link may have been swapped. */
async function readIfChanged(path: string, known: Read | undefined, clock: Clock): Promise<Read> {
  const file = await whileHeld(() => open(path, 'r'), { clock });
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await file.stat({ bigint: true });
    const version = [dev, ino, size, mtimeNs, ctimeNs].join(':');
    if (known?.version === version) return known;
    if (size > MAX_FILE_BYTES) throw new CredentialError(`${describe(path)} has ${size} bytes: no token has`);
    const token = (await file.readFile('utf8')).replace(/\r?\n$/, '');
    // Rewriting in place empties the file first.
    if (token === '') throw new CredentialError(`${describe(path)} is empty: is it still being written?`);
    return { version, token: new Secret(token) };
  } finally {
    await file.close();
  }
}

const NOT_READABLE =
  'may not be read by this process: check its owner and mode, or on Windows its access list';
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist: check the path, and that the secret is mounted',
  EACCES: NOT_READABLE,
  EPERM: NOT_READABLE,
  EBUSY: 'is held by another program, which lets nobody read it',
  EISDIR: 'is a directory: give the file in it',
  ENOTDIR: 'is below something that is no directory: check the path',
  ELOOP: 'is a symbolic link to itself',
  EMFILE: 'cannot be opened: this process has too many open files',
};

function explain(path: string, error: unknown): CredentialError {
  if (error instanceof CredentialError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return new CredentialError(`${describe(path)} ${REASONS[code] ?? `cannot be read (${code})`}`);
}

function describe(path: string): string {
  return `The token file ${path}`;
}
