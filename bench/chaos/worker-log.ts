import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** What the runner tells a worker program. Paths of files are the worker's own; none is shared with another worker. */
export interface WorkerOrders {
  readonly seed: number;
  readonly url: string;
  readonly keyFile: string;
  readonly projectId: number;
  readonly spoolDirectory: string;
  readonly journalFile: string;
  readonly logFile: string;
  readonly leaseMs: number;
  readonly attemptTimeoutMs: number;
  readonly downloadTimeoutMs: number;
  readonly modelMs: readonly [number, number];
  readonly concurrency: number;
  readonly lingerMs: number;
  readonly sampleEveryMs: number;
  /** The handler in Python, and the folder of its helper; undefined for a handler in this process. */
  readonly python: { readonly script: string; readonly helper: string } | undefined;
  /** Things to do wrong on purpose, to see that the ledger finds them. */
  readonly sabotage?: Sabotage | undefined;
}

/** `no-spool`: keep nothing on disk. `drop-results`: throw away a result now and then. `reject`: leave a promise alone. */
export type Sabotage = 'no-spool' | 'drop-results' | 'reject';

/** A line of a worker's log. */
export type WorkerLine =
  | { readonly kind: 'started' }
  /** An unhandled rejection, an uncaught exception or a warning of Node's. */
  | { readonly kind: 'unhandled'; readonly what: string; readonly text: string }
  | { readonly kind: 'rss'; readonly rss: number; readonly heap: number }
  | { readonly kind: 'replayed'; readonly count: number; readonly outcome: string }
  | { readonly kind: 'event'; readonly name: string; readonly text: string }
  | { readonly kind: 'report'; readonly report: Readonly<Record<string, unknown>> }
  | { readonly kind: 'failed'; readonly text: string };

/** A line with the process that wrote it, and when. */
export type LoggedLine = WorkerLine & { readonly pid: number; readonly at: number };

/** Written at once: a process that is killed leaves every line that it wrote. */
export function logLine(file: string, line: WorkerLine): void {
  appendFileSync(file, `${JSON.stringify({ ...line, pid: process.pid, at: Date.now() })}\n`);
}

/** All lines of a worker's processes, one after the other. */
export function readLog(file: string): LoggedLine[] {
  return readLines(file).map((line) => JSON.parse(line) as LoggedLine);
}

/** A handler call began (`s`) or ended (`e`). */
export function journalLine(what: 's' | 'e', imageId: string): string {
  return `${what} ${imageId} ${process.pid} ${Date.now()}\n`;
}

/** Handler calls of one image. */
export interface Runs {
  readonly started: number;
  readonly ended: number;
}

/** Handler calls by image, over all journals. */
export function readJournals(files: readonly string[]): Map<string, Runs> {
  const runs = new Map<string, Runs>();
  for (const file of files) {
    for (const line of readLines(file)) {
      const [what, imageId = ''] = line.split(' ');
      const { started, ended } = runs.get(imageId) ?? { started: 0, ended: 0 };
      runs.set(imageId, what === 's' ? { started: started + 1, ended } : { started, ended: ended + 1 });
    }
  }
  return runs;
}

function readLines(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}
