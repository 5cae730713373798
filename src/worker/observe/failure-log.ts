import { constants } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AntennaError } from '../../errors/base.js';
import { whileHeld } from '../../system/held-files.js';
import type { Clock } from '../../time/clock.js';
import { cleanLine } from '../executors/output-lines.js';
import type { WorkItem } from '../task/work-item.js';

/** Where a task failed. `lease`: it ran out before the task was started. */
export type FailurePlace = 'download' | 'process' | 'encode' | 'post' | 'lease';

/** One line of a failure log. */
export interface FailureRecord {
  /** ISO 8601, with `Z`. */
  readonly time: string;
  readonly image_id: string;
  /** Without its query, which may be a permission. */
  readonly url: string;
  readonly job: number;
  readonly pipeline: string;
  /** Number of the delivery; null if it could not be read. */
  readonly attempt: number | null;
  /** `error`: an error result was posted, which is final. `lapsed`: left for another delivery. */
  readonly outcome: 'error' | 'lapsed';
  /** Code of the error, such as `task_permanent`, or the name of one that is not ours. */
  readonly kind: string;
  readonly message: string;
  readonly where: FailurePlace;
  /** The stack of an error that a handler threw, in any language. */
  readonly trace?: string;
}

/** Options of the worker's `failures`. */
export interface FailureLogOptions {
  readonly file: string;
  /** Bytes from which on the file becomes `<file>.1`, in place of an older one, and another is begun. Default 10 MiB. */
  readonly maxBytes?: number | undefined;
}

/** Defaults of a failure log: some ten thousand lines, twice. */
export const FAILURE_LOG_DEFAULTS = { maxBytes: 10 * 1024 * 1024 } as const;

/** Lines that wait for a disk that does not answer; more are counted and dropped, as memory is not what a full disk should cost. */
const MAX_WAITING = 10_000;
const MAX_MESSAGE_CHARS = 2_000;
const MAX_TRACE_CHARS = 4_000;

/** What a failure log works with. */
export interface FailureLogParts {
  readonly clock: Clock;
  /** Texts that must not be written, however they came into a message. */
  readonly secrets: readonly string[];
  /** Told once when lines cannot be written. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Evidence of every image that ended in an error or lapsed, a line of JSON each, in a file that only its owner may read (on Windows, whom
 * the folder's access list lets). Written in the background: a disk that is full or slow costs lines, never a task.
 */
export class FailureLog {
  readonly #file: string;
  readonly #maxBytes: number;
  readonly #parts: FailureLogParts;
  #waiting: string[] = [];
  #dropped = 0;
  #writing: Promise<void> | undefined;
  #troubled = false;

  constructor(options: FailureLogOptions, parts: FailureLogParts) {
    this.#file = options.file;
    this.#maxBytes = options.maxBytes ?? FAILURE_LOG_DEFAULTS.maxBytes;
    this.#parts = parts;
  }

  /** Notes a failure. Never throws, and never waits. */
  add(item: WorkItem, outcome: FailureRecord['outcome'], where: FailurePlace, error: unknown): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#dropped += 1;
      return;
    }
    const record = failureRecord(item, outcome, where, error, {
      time: new Date(this.#parts.clock.wallNow()).toISOString(),
      secrets: this.#parts.secrets,
    });
    this.#waiting.push(`${JSON.stringify(record)}\n`);
    this.#writing ??= this.#write();
  }

  /** Resolves when all lines are written, or cannot be. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      try {
        await this.#append(lines.join(''));
        if (this.#dropped > 0) {
          const message = `${this.#dropped} failures were not written, as the disk was too slow`;
          this.#dropped = 0;
          this.#parts.onTrouble(new AntennaError({ code: 'failure_log', message }));
        }
      } catch (error) {
        if (!this.#troubled) this.#parts.onTrouble(error);
        this.#troubled = true;
      }
    }
    this.#writing = undefined;
  }

  async #append(text: string): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    const { O_APPEND, O_CREAT, O_WRONLY } = constants;
    // A link could lead the worker to write into a file of somebody else's. Windows knows no such flag.
    const noFollow = (constants as { O_NOFOLLOW?: number }).O_NOFOLLOW ?? 0;
    const handle = await open(this.#file, O_APPEND | O_CREAT | O_WRONLY | noFollow, 0o600);
    let size: number;
    try {
      await handle.chmod(0o600);
      await handle.appendFile(text);
      ({ size } = await handle.stat());
    } finally {
      await handle.close();
    }
    if (size >= this.#maxBytes)
      await whileHeld(() => rename(this.#file, `${this.#file}.1`), { clock: this.#parts.clock });
  }
}

/** A failure as it is written. */
export function failureRecord(
  item: WorkItem,
  outcome: FailureRecord['outcome'],
  where: FailurePlace,
  error: unknown,
  options: { readonly time: string; readonly secrets: readonly string[] },
): FailureRecord {
  const clean = (text: string): string => cleanText(text, options.secrets);
  const trace = where === 'process' || where === 'encode' ? traceOf(error) : undefined;
  return {
    time: options.time,
    image_id: item.task.image_id,
    url: bareUrl(item.task.image_url),
    job: item.jobId,
    pipeline: item.pipeline.slug,
    attempt: item.delivery ?? null,
    outcome,
    kind: kindOf(error),
    message: clean(messageOf(error)).slice(0, MAX_MESSAGE_CHARS),
    where,
    ...(trace === undefined ? {} : { trace: shorten(clean(trace)) }),
  };
}

function kindOf(error: unknown): string {
  if (error instanceof AntennaError) return error.code;
  return error instanceof Error ? error.name : typeof error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The stack below the message. An error of our own tells by its code where it comes from. */
function traceOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  const at = error.message === '' ? -1 : error.stack.indexOf(error.message);
  const rest = at === -1 ? error.stack : error.stack.slice(at + error.message.length);
  return rest.trim() === '' ? undefined : rest.trim();
}

/** The beginning and the end: JavaScript tells the place first, Python last. */
function shorten(text: string): string {
  if (text.length <= MAX_TRACE_CHARS) return text;
  const half = MAX_TRACE_CHARS / 2;
  return `${text.slice(0, half)}\n…\n${text.slice(-half)}`;
}

function cleanText(text: string, secrets: readonly string[]): string {
  return text
    .split('\n')
    .map((line) => cleanLine(line, secrets))
    .join('\n');
}

/** A URL without user, query and fragment. */
function bareUrl(text: string): string {
  if (!URL.canParse(text)) return text.split(/[?#]/)[0] ?? '';
  const url = new URL(text);
  url.username = url.password = url.search = url.hash = '';
  return url.href;
}
