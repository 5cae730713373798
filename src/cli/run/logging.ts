import { pino } from 'pino';
import type { Logger } from '../../index.js';
import { printable } from '../output.js';

/** JSON lines on standard error, so that standard output has the report and nothing else. */
export function jsonLogger(level: string, worker: string | undefined): Logger {
  const base = worker === undefined ? undefined : { worker };
  return pino(
    { name: 'antenna', level, ...(base === undefined ? {} : { base }) },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** The last warnings, to be shown below a live view, which log lines would tear apart. */
export class RecentWarnings {
  readonly lines: string[] = [];

  add(text: string): void {
    this.lines.push(printable(text));
    if (this.lines.length > 4) this.lines.shift();
  }

  /** A logger that keeps what is worth a look. */
  logger(): Logger {
    const keep = (fields: Readonly<Record<string, unknown>>, message: string): void => {
      const { error, job } = fields;
      const about = typeof job === 'number' ? ` (job ${job})` : '';
      this.add(`${message}${about}${typeof error === 'string' ? `: ${error}` : ''}`);
    };
    return { debug: () => undefined, info: () => undefined, warn: keep, error: keep };
  }

  /** Takes the JSON lines that another process logs; others are kept as they are. */
  take(line: string): void {
    try {
      const { level, msg, error } = JSON.parse(line) as {
        readonly level?: number;
        readonly msg?: string;
        readonly error?: string;
      };
      if ((level ?? 0) >= 40) this.add(`${msg ?? ''}${error === undefined ? '' : `: ${error}`}`);
    } catch {
      if (line.trim() !== '') this.add(line);
    }
  }
}
