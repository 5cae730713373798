import type { JobOverview, MachineOverview, WorkerOverview } from '../../index.js';
import { bar, percent } from '../bars.js';
import { formatBytes, formatDuration } from '../durations.js';
import type { Paint } from '../output.js';

/** How much of the terminal there is, and its colours. */
export interface ViewOptions {
  readonly paint: Paint;
  readonly columns: number;
  /** Warnings to show below. */
  readonly warnings?: readonly string[];
  readonly footer?: string;
}

/** The live view: the same as the page, in lines. */
export function viewLines(
  machine: MachineOverview,
  { paint, columns, warnings = [], footer }: ViewOptions,
): string[] {
  const perSecond = machine.workers.reduce((sum, worker) => sum + (worker.perSecond ?? 0), 0);
  const many = machine.workers.length === 1 ? '1 worker' : `${machine.workers.length} workers`;
  const lines = [
    `${paint.bold(machine.hostname)} · ${many} · ${rate(perSecond)} images/s · ${machine.software}`,
    ...machine.gpus.map((gpu) => paint.dim(`GPU ${gpu}`)),
    ...machine.workers.flatMap((worker) => workerLines(worker, paint)),
    ...jobsOf(machine).map((job) => jobLine(job, paint, columns)),
    ...failureLines(machine, paint),
    ...warnings.map((line) => paint.yellow(`! ${line}`)),
    ...(footer === undefined ? [] : [paint.dim(footer)]),
  ];
  return lines.map((line) => cut(line, columns));
}

const rate = (perSecond: number | undefined): string =>
  perSecond === undefined ? '–' : perSecond.toFixed(perSecond < 10 ? 2 : 0);

function workerLines(
  {
    name,
    state,
    health,
    perSecond,
    held,
    hold,
    outbox,
    spool,
    counters,
    failing,
    explanation,
    device,
  }: WorkerOverview,
  paint: Paint,
): string[] {
  const colour = health === 'ok' ? paint.green : health === 'degraded' ? paint.yellow : paint.red;
  const facts = [
    `${rate(perSecond)}/s`,
    `${counters.succeeded} done`,
    ...(counters.failed > 0 ? [paint.red(`${counters.failed} failed`)] : []),
    `${held.count}${hold ? ` of ${hold.target}` : ''} in hand`,
    `outbox ${outbox.count}${outbox.count > 0 ? ` (${formatBytes(outbox.bytes)})` : ''}`,
    ...(spool ? [`spool ${spool.files}`] : []),
    ...(device === undefined ? [] : [device]),
  ];
  return [
    `${colour('●')} ${name} ${colour(state)} · ${facts.join(' · ')}`,
    ...failing.map(({ name: check, detail }) => `  ${paint.red(`${check}: ${detail}`)}`),
    ...explanation
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `  ${paint.dim(line)}`),
  ];
}

/** A job that several workers of the machine do is one line. */
function jobsOf({ workers }: MachineOverview): JobOverview[] {
  const jobs = new Map<number, JobOverview>();
  for (const job of workers.flatMap((worker) => worker.jobs)) {
    const known = jobs.get(job.id);
    if (known === undefined || (job.done ?? 0) > (known.done ?? 0)) jobs.set(job.id, job);
  }
  return [...jobs.values()].filter(({ open }) => open).slice(0, 8);
}

function jobLine(
  { id, name, pipeline, done, total, failed, perSecond, leftMs }: JobOverview,
  paint: Paint,
  columns: number,
): string {
  const share = total === undefined || total === 0 ? 0 : (done ?? 0) / total;
  const facts = [
    `${done ?? '?'}/${total ?? '?'}`,
    percent(share),
    ...(failed !== undefined && failed > 0 ? [paint.red(`${failed} failed`)] : []),
    ...(perSecond !== undefined && perSecond > 0 ? [`${rate(perSecond)}/s`] : []),
    ...(leftMs !== undefined && leftMs > 0 ? [`${formatDuration(leftMs)} left`] : []),
  ];
  const width = Math.max(8, Math.min(28, columns - 60));
  return `Job ${id} ${paint.cyan(bar(share, width))} ${facts.join(' · ')} · ${pipeline}${name === undefined ? '' : ` · ${name}`}`;
}

function failureLines({ workers }: MachineOverview, paint: Paint): string[] {
  return workers
    .flatMap(({ failures }) => failures)
    .sort((a, b) => b.at.localeCompare(a.at))
    .slice(0, 3)
    .map(
      ({ imageId, jobId, reason, final }) =>
        `${paint.red('✗')} image ${imageId} of job ${jobId}: ${reason}${final ? '' : ' (comes again)'}`,
    );
}

/** Cut to the width, colours not counted: a line that wraps would be redrawn in the wrong place. */
function cut(line: string, columns: number): string {
  let width = 0;
  let at = 0;
  for (const [piece] of line.matchAll(/\u001b\[\d{1,2}m|[\s\S]/gu)) {
    if (!piece.startsWith('\u001b')) width += 1;
    if (width > columns - 1) return `${line.slice(0, at)}…\u001b[0m`;
    at += piece.length;
  }
  return line;
}
