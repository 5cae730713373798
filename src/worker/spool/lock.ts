import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { AntennaError } from '../../errors/base.js';
import { whileHeld } from '../../system/held-files.js';
import { sleep, systemClock } from '../../time/clock.js';

/** Who holds a spool directory. */
const holderSchema = z.object({
  pid: z.int(),
  /** Changes with every boot of the machine; empty where it cannot be known. */
  bootId: z.string(),
  /** When the process started, in the machine's ticks: pids are used again. Empty where it cannot be known. */
  startedAt: z.string(),
  hostname: z.string(),
  /** Of this one taking of the lock: in a directory that was made anew, another's file may have the name of ours. */
  id: z.string().optional(),
});
export type LockHolder = z.infer<typeof holderSchema>;

/** How often a holder shows that it lives. */
export const LOCK_BEAT_MS = 15_000;
/** A holder that we cannot look at counts as dead after this silence. */
export const LOCK_STALE_MS = 60_000;

/** What judging a holder goes by. */
export interface HolderFacts {
  /** Whether a process with its pid runs here. */
  readonly runs: boolean;
  /** When the process with its pid started; undefined if none runs or it cannot be known. */
  readonly startedAt: string | undefined;
  /** Since its last sign of life. */
  readonly silentMs: number;
  readonly platform: NodeJS.Platform;
}

/**
 * Whether the directory may be taken over. A holder on another host or in another container can only be judged by its silence. On Windows
 * neither boots nor starts can be told apart and pids are used again within minutes, so that one which runs must also have been heard of.
 */
export function isDead(holder: LockHolder, me: LockHolder, facts: HolderFacts): boolean {
  if (holder.hostname !== me.hostname) return facts.silentMs > LOCK_STALE_MS;
  if (holder.bootId !== me.bootId) return true;
  // A process with our own pid is us; what wrote the lock is gone. In containers every worker has the same pid.
  if (holder.pid === me.pid) return holder.startedAt !== me.startedAt || holder.startedAt === '';
  if (!facts.runs) return true;
  if (facts.platform === 'win32') return facts.silentMs > LOCK_STALE_MS;
  return facts.startedAt !== undefined && holder.startedAt !== '' && facts.startedAt !== holder.startedAt;
}

/** A file of the lock. */
interface LockFile {
  readonly path: string;
  readonly generation: number;
}

/** What a file of the lock says: who holds it, that nobody does, or nothing, because its writer is at it or died over it. */
type LockState = LockHolder | 'released' | 'torn' | 'gone';

const RELEASED = '{"released":true}';
const FILE_NAME = /^lock(?:\.(\d+))?$/;
/** Rounds of taking it: whoever loses one finds a holder in the next. */
const MAX_ROUNDS = 10;
const POLL_MS = 20;

/**
 * One process per directory: two would post and remove each other's files.
 *
 * A file that is stale can be removed by two who found it so, the second removing what the first has made of it: nothing that a file system
 * offers compares and swaps. So no file is ever removed to take the lock. Each taking makes the next generation, `lock.1`, `lock.2`, which
 * only one can create, and then looks whether all before it are dead still and none came after it. Of two takers who overlap, at least one
 * sees the other, since each writes before it looks. Releasing leaves the file, with a note in it: were it removed, generations would begin
 * again, and one who slept over all of it would take a number that is free for the wrong reason.
 */
export class SpoolLock {
  readonly #directory: string;
  readonly #tornMs: number;
  readonly #onLost: (error: unknown) => void;
  readonly #id = randomUUID();
  #path: string | undefined;
  #wanted = false;
  #timer: NodeJS.Timeout | undefined;
  #showing = false;

  /** @param options.tornMs - how long a file without content may be somebody's who is writing it; default 1,000. */
  constructor(
    directory: string,
    options: { tornMs?: number; onLost?: ((error: unknown) => void) | undefined } = {},
  ) {
    this.#directory = directory;
    this.#tornMs = options.tornMs ?? 1_000;
    this.#onLost = options.onLost ?? (() => undefined);
  }

  /** @throws AntennaError with code `spool_locked` when a living process holds the directory. */
  acquire(): Promise<void> {
    this.#wanted = true;
    return this.#take();
  }

  async release(): Promise<void> {
    this.#wanted = false;
    clearInterval(this.#timer);
    const path = this.#path;
    this.#path = undefined;
    if (path !== undefined && (await this.#isOurs(path))) await whileHeld(() => writeFile(path, RELEASED));
  }

  async #take(): Promise<void> {
    const me = { ...(await describeProcess(process.pid)), id: this.#id };
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const files = await this.#files();
      await this.#refuseHolder(files, me);
      const generation = (files.at(-1)?.generation ?? 0) + 1;
      const path = join(this.#directory, `lock.${generation}`);
      if (!(await create(path, me))) continue;
      if (await this.#isMine(generation, me)) {
        this.#path = path;
        this.#beat();
        return;
      }
      await whileHeld(() => rm(path, { force: true }));
    }
    throw locked(this.#directory, undefined);
  }

  /** Looks again after the file was made, and removes what is before it. False: somebody else was faster. */
  async #isMine(generation: number, me: LockHolder): Promise<boolean> {
    const files = await this.#files();
    if (files.some((file) => file.generation > generation)) return false;
    const before = files.filter((file) => file.generation < generation);
    try {
      await this.#refuseHolder(before, me, true);
    } catch {
      return false;
    }
    for (const { path } of before) await whileHeld(() => rm(path, { force: true }));
    return true;
  }

  /**
   * @param waits - for a holder to leave: one who takes a lower generation at the same time sees ours, and does.
   * @throws AntennaError when one of the files is held by a living process.
   */
  async #refuseHolder(files: readonly LockFile[], me: LockHolder, waits = false): Promise<void> {
    for (const file of files) {
      for (let waitedMs = 0; ; waitedMs += POLL_MS) {
        const state = await read(file.path);
        const isHeld = typeof state === 'object' && !(await this.#isDead(file.path, state, me));
        if (!isHeld && state !== 'torn') break;
        const mayWait = waits || state === 'torn';
        if (!mayWait || waitedMs >= this.#tornMs) {
          if (isHeld) throw locked(file.path, state);
          break;
        }
        await sleep(systemClock, POLL_MS);
      }
    }
  }

  async #isDead(path: string, holder: LockHolder, me: LockHolder): Promise<boolean> {
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
    const runs = isRunning(holder.pid);
    const startedAt = runs ? await startTimeOf(holder.pid) : undefined;
    const { platform } = process;
    return isDead(holder, me, { runs, startedAt, silentMs: Date.now() - mtimeMs, platform });
  }

  /** The lowest generation first. `lock` alone is what earlier versions of the package wrote. */
  async #files(): Promise<LockFile[]> {
    const files: LockFile[] = [];
    for (const name of await readdir(this.#directory)) {
      const match = FILE_NAME.exec(name);
      if (match) files.push({ path: join(this.#directory, name), generation: Number(match[1] ?? 0) });
    }
    return files.sort((a, b) => a.generation - b.generation);
  }

  #beat(): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      // A slow disk must not have two of them take the lock from each other.
      if (this.#showing) return;
      this.#showing = true;
      void this.#showLife().finally(() => {
        this.#showing = false;
      });
    }, LOCK_BEAT_MS);
    this.#timer.unref();
  }

  /** Tells others that we live; takes the lock anew when the directory was removed, or made again, without it. */
  async #showLife(): Promise<void> {
    const path = this.#path;
    if (path === undefined) return;
    const now = new Date();
    try {
      if (await this.#isOurs(path)) {
        // A disk that refuses this refuses the results too, which is reported where it matters.
        await utimes(path, now, now).catch(() => undefined);
        return;
      }
      await this.#take();
    } catch (error) {
      // While there is no directory there is nothing to hold either.
      if (codeOf(error) !== 'ENOENT') this.#onLost(error);
    }
    // The run may have ended meanwhile, with nothing to release then.
    if (!this.#wanted) await this.release().catch(() => undefined);
  }

  /** False when it was taken over, or the directory removed. */
  async #isOurs(path: string): Promise<boolean> {
    const state = await read(path);
    return typeof state === 'object' && state.id === this.#id;
  }
}

/** @returns false when the file is there already. */
async function create(path: string, me: LockHolder): Promise<boolean> {
  try {
    // On Windows a name stays taken while somebody reads the file that was removed.
    await whileHeld(() => writeFile(path, JSON.stringify(me), { flag: 'wx', mode: 0o600 }));
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return false;
  }
}

async function read(path: string): Promise<LockState> {
  let text: string;
  try {
    text = await whileHeld(() => readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'gone';
    // Another user's, most likely: not ours to judge.
    throw error;
  }
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content === 'object' && content !== null && 'released' in content) return 'released';
    return holderSchema.parse(content);
  } catch {
    return 'torn';
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

function locked(path: string, holder: LockHolder | undefined): AntennaError {
  const who = holder ? `process ${holder.pid} on ${holder.hostname}` : 'another process';
  const message = `The spool directory is in use by ${who} (${path}): give every worker a directory of its own`;
  return new AntennaError({ code: 'spool_locked', message });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not ours to signal, but there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function describeProcess(pid: number): Promise<LockHolder> {
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return { pid, bootId: bootId.trim(), startedAt: (await startTimeOf(pid)) ?? '', hostname: hostname() };
}

/** Field 22 of `/proc/<pid>/stat`; the name in field 2 may hold spaces and brackets. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}
