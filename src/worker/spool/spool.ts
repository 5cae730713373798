import type { Clock } from '../../time/clock.js';
import type { OutboxEntry, WrittenPost } from '../outbox/entry.js';
import type { SpoolDisk } from './disk.js';
import { decodeSpoolFile, encodeSpoolFile, type Decoded } from './format.js';

/** Bounds of a spool. */
export interface SpoolLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** Why results cannot be written at the moment. */
export type SpoolTrouble = 'full' | 'disk' | undefined;

/** Where files go that cannot be read, and those that will never be accepted. */
export const BAD_FOLDER = 'bad';
export const DEAD_FOLDER = 'dead';
const SUFFIX = '.results';
const TEMPORARY = '.tmp';

/**
 * Posts on disk: written before they are sent, removed when they are accepted. A file appears under its name only when its content is
 * durable, so that whatever has a name is whole.
 */
export class Spool {
  readonly #disk: SpoolDisk;
  readonly #clock: Clock;
  readonly #clockOffsetMs: () => number | undefined;
  readonly #limits: SpoolLimits;
  readonly #sizes = new Map<string, number>();
  readonly #onTrouble: (error: unknown) => void;
  #bytes = 0;
  #sequence = 0;
  #trouble: SpoolTrouble;

  constructor(options: {
    disk: SpoolDisk;
    clock: Clock;
    /** By how much the server's clock is ahead of ours, as far as it is known. */
    clockOffsetMs?: (() => number | undefined) | undefined;
    limits: SpoolLimits;
    onTrouble: (error: unknown) => void;
  }) {
    this.#disk = options.disk;
    this.#clock = options.clock;
    this.#clockOffsetMs = options.clockOffsetMs ?? (() => undefined);
    this.#limits = options.limits;
    this.#onTrouble = options.onTrouble;
  }

  get trouble(): SpoolTrouble {
    return this.#trouble;
  }

  get files(): number {
    return this.#sizes.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Creates what is missing of the directory. */
  prepare(): Promise<void> {
    return this.#disk.prepare([BAD_FOLDER, DEAD_FOLDER]);
  }

  /** Looks at what there is. @returns names of the files of an earlier process, oldest first. */
  async takeStock(): Promise<string[]> {
    const names = await this.#disk.list();
    // A temporary file was never promised to anyone.
    for (const name of names) if (name.endsWith(TEMPORARY)) await this.#disk.remove(name);
    const files = names.filter((name) => name.endsWith(SUFFIX)).sort();
    for (const name of files) this.#add(name, (await this.#disk.read(name)).length);
    return files;
  }

  /** @returns a ticket when the results are durable; undefined when they could not be written, and stay in memory. */
  async write(jobId: number, entries: readonly OutboxEntry[]): Promise<WrittenPost | undefined> {
    const createdAtMs = this.#clock.wallNow();
    const results = entries.map(({ item, outcome }) => ({ replySubject: item.replySubject, outcome }));
    const content = encodeSpoolFile({
      jobId,
      createdAtMs,
      clockOffsetMs: this.#clockOffsetMs(),
      results,
    });
    const size = content.reduce((sum, { length }) => sum + length, 0);
    if (this.files >= this.#limits.maxFiles || this.#bytes + size > this.#limits.maxBytes) {
      this.#trouble = 'full';
      return undefined;
    }
    // By time and then by order, so that names sort as they were written.
    const time = Math.round(createdAtMs).toString().padStart(15, '0');
    const name = `${time}-${(this.#sequence++).toString().padStart(9, '0')}-${process.pid}${SUFFIX}`;
    try {
      await this.#disk.write(`${name}${TEMPORARY}`, content);
      await this.#disk.rename(`${name}${TEMPORARY}`, name);
      await this.#disk.syncFolder();
    } catch (error) {
      this.#trouble = 'disk';
      this.#onTrouble(error);
      await this.#disk.remove(`${name}${TEMPORARY}`).catch(() => undefined);
      return undefined;
    }
    this.#trouble = undefined;
    this.#add(name, size);
    return { remove: () => this.remove(name), bury: () => this.setAside(name, DEAD_FOLDER) };
  }

  /** Reads a file of an earlier process. */
  async read(name: string): Promise<Decoded> {
    return decodeSpoolFile(await this.#disk.read(name));
  }

  /** A crash before this is durable posts the results once more, which is harmless. */
  async remove(name: string): Promise<void> {
    this.#forget(name);
    await this.#disk.remove(name);
  }

  /** Keeps a file for a person to look at. */
  async setAside(name: string, folder: typeof BAD_FOLDER | typeof DEAD_FOLDER): Promise<void> {
    this.#forget(name);
    await this.#disk.rename(name, `${folder}/${name}`);
  }

  /** After trouble: whether the disk takes a file again. */
  async probe(): Promise<void> {
    if (this.#trouble === 'full' && this.files < this.#limits.maxFiles && this.#bytes < this.#limits.maxBytes)
      this.#trouble = undefined;
    if (this.#trouble !== 'disk') return;
    const name = `probe${TEMPORARY}`;
    try {
      await this.#disk.remove(name);
      await this.#disk.write(name, [Buffer.from('probe')]);
      await this.#disk.remove(name);
      this.#trouble = undefined;
    } catch {
      // Reported when it began.
    }
  }

  close(): Promise<void> {
    return this.#disk.close();
  }

  #add(name: string, size: number): void {
    this.#sizes.set(name, size);
    this.#bytes += size;
  }

  #forget(name: string): void {
    this.#bytes -= this.#sizes.get(name) ?? 0;
    this.#sizes.delete(name);
  }
}
