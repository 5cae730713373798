import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { whileHeld, type HeldOptions } from '../../system/held-files.js';

/** The few steps that durability is made of, so that tests can stop between any two of them. Names are relative to the directory. */
export interface SpoolDisk {
  /** Creates the directory and its parts, readable by nobody else. */
  prepare(folders: readonly string[]): Promise<void>;
  /** Names of files in the directory or one of its folders; without the folders themselves. */
  list(folder?: string): Promise<string[]>;
  read(name: string): Promise<Buffer>;
  /** Creates a file and makes its content durable. @throws when it exists. */
  write(name: string, content: readonly Buffer[]): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Makes created, renamed and removed names durable. */
  syncFolder(): Promise<void>;
  /** Harmless when there is no such file. */
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

const { O_CREAT, O_DSYNC, O_EXCL, O_WRONLY } = constants;
const CREATE = O_CREAT | O_EXCL | O_WRONLY;
/**
 * On Linux a write through this is durable when it returns, as after a sync, and saves a round trip to a thread. Elsewhere it is missing,
 * or leaves the data in the disk's own cache, which Node's sync does not.
 */
const WRITE_THROUGH = process.platform === 'linux' ? O_DSYNC : 0;

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/** The directory, open, and which one it is: of the same name there can be one after the other. */
interface OpenFolder {
  readonly handle: FileHandle;
  readonly dev: bigint;
  readonly ino: bigint;
}

/**
 * A directory of the machine's file system. Local disks only: network file systems promise less than they are asked for. On Windows the
 * modes mean nothing, and the access list of the directory says who may read it.
 */
export class NodeDisk implements SpoolDisk {
  readonly #directory: string;
  readonly #system: HeldOptions;
  #folders: readonly string[] = [];
  #folder: Promise<OpenFolder> | undefined;
  #sync: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;
  #closed = false;

  constructor(directory: string, system: HeldOptions = {}) {
    this.#directory = directory;
    this.#system = system;
  }

  async prepare(folders: readonly string[]): Promise<void> {
    this.#folders = folders;
    for (const folder of ['', ...folders])
      await mkdir(join(this.#directory, folder), { recursive: true, mode: PRIVATE_FOLDER });
  }

  async list(folder = ''): Promise<string[]> {
    const entries = await readdir(join(this.#directory, folder), { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  }

  read(name: string): Promise<Buffer> {
    return whileHeld(() => readFile(join(this.#directory, name)), this.#system);
  }

  async write(name: string, content: readonly Buffer[]): Promise<void> {
    const file = await this.#inFolder(() =>
      open(join(this.#directory, name), CREATE | WRITE_THROUGH, PRIVATE_FILE),
    );
    try {
      await writeAll(file, content);
      if (WRITE_THROUGH === 0) await file.sync();
    } finally {
      await file.close();
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#inFolder(() =>
      whileHeld(() => rename(join(this.#directory, from), join(this.#directory, to)), this.#system),
    );
  }

  /** Whoever asks while one runs shares the next: it begins after all their names were there. */
  syncFolder(): Promise<void> {
    return (this.#nextSync ??= this.#syncAfter(this.#sync));
  }

  async remove(name: string): Promise<void> {
    try {
      await whileHeld(() => unlink(join(this.#directory, name)), this.#system);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** What is still written afterwards is made durable all the same. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#closeFolder();
  }

  async #closeFolder(): Promise<void> {
    const folder = this.#folder;
    this.#folder = undefined;
    await (await folder)?.handle.close();
  }

  /** A directory that somebody removed, or one of its folders, is made again: results would stay in memory until a person does it. */
  async #inFolder<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await this.prepare(this.#folders);
      return work();
    }
  }

  /** The directory that has the name now. To sync one that was removed succeeds, and makes nothing durable. */
  async #currentFolder(): Promise<FileHandle> {
    const { dev, ino } = await stat(this.#directory, { bigint: true });
    const held = await this.#folder;
    if (held && (held.dev !== dev || held.ino !== ino)) await this.#closeFolder();
    this.#folder ??= openFolder(this.#directory);
    return (await this.#folder).handle;
  }

  async #syncAfter(previous: Promise<void> | undefined): Promise<void> {
    // How that one ended is the business of those who asked for it.
    await previous?.catch(() => undefined);
    this.#sync = this.#nextSync;
    this.#nextSync = undefined;
    // Windows flushes no directory, and one that is held open cannot be removed; its file system journals names by itself.
    if ((this.#system.platform ?? process.platform) === 'win32') return;
    try {
      await (await this.#currentFolder()).sync();
    } catch (error) {
      await this.#closeFolder().catch(() => undefined);
      throw error;
    }
    // Opened again by a write that outlived the run: nobody else would close it.
    if (this.#closed) await this.#closeFolder();
  }
}

async function openFolder(path: string): Promise<OpenFolder> {
  const handle = await open(path, 'r');
  const { dev, ino } = await handle.stat({ bigint: true });
  return { handle, dev, ino };
}

/** One call for all: a post has fifty results, and each call is a round trip to a thread. */
async function writeAll(file: FileHandle, content: readonly Buffer[]): Promise<void> {
  let rest = content.filter(({ length }) => length > 0);
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest);
    if (bytesWritten === 0) throw new Error('the disk took nothing of a file');
    rest = withoutFirst(rest, bytesWritten);
  }
}

/** What is left to write when a disk that is nearly full took only a part. */
export function withoutFirst(parts: readonly Buffer[], bytes: number): Buffer[] {
  const rest: Buffer[] = [];
  let toSkip = bytes;
  for (const part of parts) {
    if (toSkip < part.length) rest.push(part.subarray(toSkip));
    toSkip = Math.max(0, toSkip - part.length);
  }
  return rest;
}
