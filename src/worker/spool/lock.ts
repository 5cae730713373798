import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { AntennaError } from '../../errors/base.js';

/** Who holds a spool directory. */
const holderSchema = z.object({
  pid: z.int(),
  /** Changes with every boot of the machine; empty where it cannot be known. */
  bootId: z.string(),
  /** When the process started, in the machine's ticks: pids are used again. Empty where it cannot be known. */
  startedAt: z.string(),
  hostname: z.string(),
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
}

/** Whether the directory may be taken over. A holder on another host or in another container can only be judged by its silence. */
export function isDead(holder: LockHolder, me: LockHolder, facts: HolderFacts): boolean {
  if (holder.hostname !== me.hostname) return facts.silentMs > LOCK_STALE_MS;
  if (holder.bootId !== me.bootId) return true;
  // A process with our own pid is us; what wrote the lock is gone. In containers every worker has the same pid.
  if (holder.pid === me.pid) return holder.startedAt !== me.startedAt || holder.startedAt === '';
  if (!facts.runs) return true;
  return facts.startedAt !== undefined && holder.startedAt !== '' && facts.startedAt !== holder.startedAt;
}

/** One process per directory: two would post and remove each other's files. */
export class SpoolLock {
  readonly #path: string;
  #timer: NodeJS.Timeout | undefined;

  constructor(directory: string) {
    this.#path = join(directory, 'lock');
  }

  /** @throws AntennaError with code `spool_locked` when a living process holds the directory. */
  async acquire(): Promise<void> {
    const me = await describeProcess(process.pid);
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        await writeFile(this.#path, JSON.stringify(me), { flag: 'wx', mode: 0o600 });
        this.#beat();
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = await this.#holder();
      if (holder && !(await this.#isDead(holder, me))) throw locked(this.#path, holder);
      await rm(this.#path, { force: true });
    }
    throw locked(this.#path, undefined);
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await rm(this.#path, { force: true });
  }

  async #isDead(holder: LockHolder, me: LockHolder): Promise<boolean> {
    const { mtimeMs } = await stat(this.#path).catch(() => ({ mtimeMs: 0 }));
    const runs = isRunning(holder.pid);
    const startedAt = runs ? await startTimeOf(holder.pid) : undefined;
    return isDead(holder, me, { runs, startedAt, silentMs: Date.now() - mtimeMs });
  }

  /** Undefined when the file is torn or gone: its writer died while writing it. */
  async #holder(): Promise<LockHolder | undefined> {
    try {
      return holderSchema.parse(JSON.parse(await readFile(this.#path, 'utf8')));
    } catch {
      return undefined;
    }
  }

  #beat(): void {
    this.#timer = setInterval(() => {
      const now = new Date();
      // A disk that refuses this refuses the results too, which is reported where it matters.
      utimes(this.#path, now, now).catch(() => undefined);
    }, LOCK_BEAT_MS);
    this.#timer.unref();
  }
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
