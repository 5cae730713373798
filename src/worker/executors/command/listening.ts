import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdtemp, rename, rm } from 'node:fs/promises';
import { connect, type AddressInfo, type Server } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { AntennaConfigError } from '../../../errors/config.js';

/** Loopback, for systems without sockets in the file system: anybody on this machine may connect, so a token is asked for. */
export interface LoopbackAddress {
  /** Default 0: any free one. */
  readonly port?: number | undefined;
  /** What a handler must know; at least 16 characters. Default: a random one. */
  readonly token?: string | undefined;
}

/** Where a worker waits for a handler: the path of a socket that only its user may use, or a port on loopback with a token. */
export type ListenAddress = string | LoopbackAddress;

/** Shortest token that is taken. */
const MIN_TOKEN_CHARS = 16;

/** @throws AntennaConfigError for a token that could be guessed, an empty path, or a path where there are no sockets in the file system. */
export function checkedToken(
  listen: ListenAddress,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  const issue = (path: string, message: string): AntennaConfigError =>
    new AntennaConfigError('Invalid executor options', [{ path, message }]);
  if (typeof listen === 'string') {
    if (listen === '') throw issue('listen', 'must be the path of a socket, or { port, token }');
    // A named pipe is no way out: others may open it, and Python's sockets cannot.
    if (platform === 'win32')
      throw issue('listen', 'must be { port, token } on Windows, where no socket has a path');
    return undefined;
  }
  const { token = randomBytes(24).toString('hex') } = listen;
  if (token.length < MIN_TOKEN_CHARS)
    throw issue('listen.token', `must have at least ${MIN_TOKEN_CHARS} characters`);
  return token;
}

/**
 * Opens the server.
 * @returns where it can be reached, and what takes its traces away.
 * @throws Error of the system, or one that says who is there already.
 */
export async function openServer(
  server: Server,
  listen: ListenAddress,
): Promise<{ readonly address: string; readonly clean: () => Promise<void> }> {
  if (typeof listen === 'string') return openSocket(server, resolve(listen));
  await listening(server, () => server.listen(listen.port ?? 0, '127.0.0.1'));
  const { port } = server.address() as AddressInfo;
  return { address: `tcp://127.0.0.1:${port}`, clean: () => Promise.resolve() };
}

/**
 * The socket is made in a folder that only its user may enter, and put in its place with its mode: at no moment can another user
 * connect, whatever the umask. One that a dead worker left behind is replaced.
 */
async function openSocket(
  server: Server,
  path: string,
): Promise<{ readonly address: string; readonly clean: () => Promise<void> }> {
  await refuseOccupied(path);
  const folder = await mkdtemp(join(dirname(path), '.s-'));
  try {
    const made = join(folder, basename(path));
    await listening(server, () => server.listen(made));
    await chmod(made, 0o600);
    const { ino } = await lstat(made);
    await rename(made, path);
    const clean = async (): Promise<void> => {
      const now = await lstat(path).catch(() => undefined);
      if (now?.ino === ino) await rm(path, { force: true });
    };
    return { address: path, clean };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function refuseOccupied(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isSocket()) throw new Error(`${path} exists and is no socket`);
  if (await answers(path)) throw new Error(`another worker waits at ${path} already`);
}

function answers(path: string): Promise<boolean> {
  return new Promise((settle) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      settle(true);
    });
    probe.once('error', () => {
      settle(false);
    });
  });
}

function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((settle, fail) => {
    server.once('error', fail);
    server.once('listening', () => {
      server.off('error', fail);
      settle();
    });
    start();
  });
}
