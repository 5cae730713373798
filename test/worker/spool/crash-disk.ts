import type { SpoolDisk } from '../../../src/worker/spool/disk.js';

/** The machine lost power. */
class PowerFailure extends Error {}

interface StoredFile {
  content: Buffer;
  durable: boolean;
}

/**
 * A disk that forgets what was not made durable. It fails at a chosen step, and what `afterPowerFailure` returns is what the next
 * process finds: contents that were not synced may be torn, names that were not synced may be the old ones.
 */
export class CrashDisk implements SpoolDisk {
  readonly #files = new Map<string, StoredFile>();
  /** Names as they are on the platters. */
  #durableNames = new Map<string, StoredFile>();
  #stepsLeft: number;
  steps = 0;

  constructor(failAtStep = Number.POSITIVE_INFINITY) {
    this.#stepsLeft = failAtStep;
  }

  async prepare(): Promise<void> {
    // Folders are part of the names.
  }

  async list(folder = ''): Promise<string[]> {
    const prefix = folder === '' ? '' : `${folder}/`;
    return [...this.#files.keys()]
      .filter((name) => name.startsWith(prefix) && !name.slice(prefix.length).includes('/'))
      .map((name) => name.slice(prefix.length));
  }

  async read(name: string): Promise<Buffer> {
    const file = this.#files.get(name);
    if (!file) throw new Error(`ENOENT ${name}`);
    return file.content;
  }

  async write(name: string, content: readonly Buffer[]): Promise<void> {
    const whole = Buffer.concat(content);
    const file = { content: Buffer.alloc(0), durable: false };
    this.#step();
    this.#files.set(name, file);
    for (const share of [0.3, 0.7, 1]) {
      this.#step();
      file.content = whole.subarray(0, Math.floor(whole.length * share));
    }
    this.#step();
    file.durable = true;
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step();
    const file = this.#files.get(from);
    if (!file) throw new Error(`ENOENT ${from}`);
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  async syncFolder(): Promise<void> {
    this.#step();
    this.#durableNames = new Map(this.#files);
  }

  async remove(name: string): Promise<void> {
    this.#step();
    this.#files.delete(name);
  }

  async close(): Promise<void> {
    // Nothing is open.
  }

  /** What the next process finds. @param keepNames - whether names that were not synced survived by luck. */
  afterPowerFailure(keepNames: boolean): CrashDisk {
    const next = new CrashDisk();
    for (const [name, file] of keepNames ? this.#files : this.#durableNames) {
      // Content that was never synced may be anything; here the half of it.
      const content = file.durable ? file.content : file.content.subarray(0, file.content.length / 2);
      next.#files.set(name, { content, durable: true });
    }
    next.#durableNames = new Map(next.#files);
    return next;
  }

  #step(): void {
    this.steps += 1;
    if (this.#stepsLeft-- <= 0) throw new PowerFailure('the power is gone');
  }
}
