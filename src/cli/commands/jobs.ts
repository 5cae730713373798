import type { Job, JobProgressCounts } from '../../index.js';
import { bar, percent } from '../bars.js';
import { connect } from '../connect.js';
import { EXIT, UsageError } from '../exit-codes.js';
import type { Frame, Run } from '../frame.js';
import { table } from '../output.js';

/** `antenna jobs`. */
export const run: Run = async (frame) => {
  const { out } = frame;
  const { jobProgress } = await import('../../index.js');
  await using client = await connect(frame);
  const limit = limitOf(frame);
  const jobs: Job[] = [];
  for (const project of frame.settings.project ?? [undefined]) {
    for (const slug of frame.settings.pipeline ?? [undefined]) {
      const query = { project, pipeline__slug: slug, limit: Math.min(limit, 100), ordering: '-created_at' };
      const status = frame.options['all'] === true ? undefined : ('STARTED' as const);
      let left = limit;
      for await (const job of client.jobs.list({ ...query, status })) {
        jobs.push(job);
        if ((left -= 1) === 0) break;
      }
    }
  }
  out.document(
    jobs.map((job) => ({
      id: job.id,
      name: job.name,
      status: job.status,
      pipeline: job.pipeline?.slug,
      project: job.project?.id,
      ...jobProgress(job),
    })),
  );
  if (jobs.length === 0) out.line(frame.options['all'] === true ? 'No jobs' : 'No open jobs');
  else
    for (const row of table([
      ['ID', 'STATUS', 'DONE', '', 'PIPELINE', 'NAME'],
      ...jobs.map((job) => rowOf(job, jobProgress(job))),
    ]))
      out.line(row);
  return EXIT.ok;
};

function rowOf(job: Job, { done, total }: JobProgressCounts): string[] {
  const share = total === undefined || total === 0 ? 0 : done / total;
  return [
    String(job.id),
    job.status,
    `${done}/${total ?? '?'}`,
    `${bar(share, 16)} ${percent(share)}`,
    job.pipeline?.slug ?? '–',
    job.name ?? '',
  ];
}

function limitOf({ options }: Frame): number {
  const limit = Number(options['limit'] ?? 20);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new UsageError('--limit must be a whole number from 1');
}
