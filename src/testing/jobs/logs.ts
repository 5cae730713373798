import { formatServerTimestamp } from '../../contract/timestamps.js';
import type { JobRow } from '../state/rows.js';

type Level = 'INFO' | 'WARNING' | 'ERROR';

/** Adds a line to the job's log, which clients read newest first; errors show in `stderr` too. */
export function logJob(job: JobRow, wallMs: number, level: Level, message: string): void {
  const at = formatServerTimestamp(wallMs).slice(0, 19).replace('T', ' ');
  job.logs.push(`[${at}] ${level} ${message}`);
  if (level === 'ERROR') job.errorLogs.push(message);
}
