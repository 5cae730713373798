import { within } from '../../time/within.js';
import type { OutboxEntry, WriteAhead, WrittenPost } from '../outbox/entry.js';
import type { RunContext } from '../run/context.js';
import { NodeDisk } from './disk.js';
import { SpoolLock } from './lock.js';
import { Replay, type ReplayPort } from './replay.js';
import { SPOOL_DEFAULTS, type SpoolOptions } from '../run/options.js';
import { Spool, type SpoolTrouble } from './spool.js';

/** What keeping a spool needs of a run. */
export type SpoolPort = Pick<RunContext, 'client' | 'clock' | 'bus' | 'note'> & ReplayPort;

/** How long a start waits for results of an earlier process to be posted: a job whose posts hang must not keep all others from starting. */
const REPLAY_FIRST_MS = 10_000;

/** The spool of one run: takes the directory's lock, posts what was left, writes ahead, gives the lock back. */
export class SpoolKeeper implements WriteAhead {
  readonly #context: SpoolPort;
  readonly #lock: SpoolLock;
  readonly #spool: Spool;
  readonly #replay: Replay;
  #replayed: Promise<void> = Promise.resolve();

  constructor(context: SpoolPort, options: SpoolOptions) {
    const { directory, maxBytes, maxFiles, maxReplayAgeMs } = { ...SPOOL_DEFAULTS, ...defined(options) };
    this.#context = context;
    this.#lock = new SpoolLock(directory, {
      onLost: (error) => {
        context.note(error, 'holding the spool directory');
      },
    });
    this.#spool = new Spool({
      disk: new NodeDisk(directory),
      clock: context.clock,
      clockOffsetMs: () => context.client.clockOffsetMs,
      limits: { maxBytes, maxFiles },
      onTrouble: (error) => {
        context.note(error, 'writing results to the spool; they stay in memory and nothing is reserved');
      },
    });
    this.#replay = new Replay(context, this.#spool, maxReplayAgeMs);
  }

  get trouble(): SpoolTrouble {
    return this.#spool.trouble;
  }

  /** Files and bytes on disk. */
  get size(): { readonly files: number; readonly bytes: number } {
    return { files: this.#spool.files, bytes: this.#spool.bytes };
  }

  /** Whether results of an earlier process wait to be posted. */
  get isReplaying(): boolean {
    return this.#replay.pending > 0;
  }

  /**
   * Takes the lock and posts what was left, mostly before anything new is taken: what takes long goes on beside the work.
   * @throws AntennaError when another process holds the directory; the file system's error when it cannot be used.
   */
  async open(): Promise<void> {
    await this.#spool.prepare();
    await this.#lock.acquire();
    const left = await this.#spool.takeStock();
    this.#replayed = this.#replay.run(left);
    await within(this.#context.clock, REPLAY_FIRST_MS, this.#replayed);
  }

  async write(jobId: number, entries: readonly OutboxEntry[]): Promise<WrittenPost | undefined> {
    const ticket = await this.#spool.write(jobId, entries);
    if (!ticket) return undefined;
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    this.#context.bus.emit('spooled', { jobId, count: entries.length, bytes });
    return ticket;
  }

  probe(): Promise<void> {
    return this.#spool.probe();
  }

  async close(): Promise<void> {
    try {
      await this.#replayed;
      await this.#spool.close();
    } finally {
      await this.#lock.release();
    }
  }
}

/** An option that is given as undefined is not given. */
function defined(
  options: SpoolOptions,
): { directory: string } & Partial<Record<keyof typeof SPOOL_DEFAULTS, number>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
