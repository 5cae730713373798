import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Pace } from '../../index.js';
import { bar, percent } from '../bars.js';
import { connect } from '../connect.js';
import { formatDuration, parseDuration } from '../durations.js';
import { EXIT, UsageError } from '../exit-codes.js';
import type { Frame, Run } from '../frame.js';
import { startScreen } from '../screen.js';

/** `antenna job 42 --watch`. */
export const run: Run = async (frame) => {
  const { out, options } = frame;
  const { isFinal, jobProgress, Pace: JobPace } = await import('../../index.js');
  const id = Number(frame.args[0]);
  if (!Number.isSafeInteger(id) || id < 1)
    throw new UsageError('The id of a job is a whole number: antenna job 42');
  const everyMs = intervalOf(frame);
  await using client = await connect(frame);
  const pace = new JobPace();
  const screen = await startScreen(out);
  try {
    for (;;) {
      const job = await client.jobs.get(id);
      const counts = jobProgress(job);
      pace.add(counts.done, performance.now());
      const over = isFinal(job) || options['watch'] !== true;
      screen.show(linesOf(frame, job, counts, pace));
      if (over) {
        const { name, status } = job;
        out.document({
          id,
          name,
          status,
          pipeline: job.pipeline?.slug,
          ...counts,
          stages: job.progress?.stages ?? [],
        });
        return isFinal(job) && status !== 'SUCCESS' ? EXIT.failed : EXIT.ok;
      }
      await delay(everyMs);
    }
  } finally {
    screen.close();
  }
};

function intervalOf({ options }: Frame): number {
  const everyMs = parseDuration(typeof options['every'] === 'string' ? options['every'] : '5s');
  if (everyMs !== undefined && everyMs >= 100) return everyMs;
  throw new UsageError('--every must be a time from 100ms, such as 5s');
}

function linesOf(
  { out }: Frame,
  job: Job,
  {
    done,
    failed,
    total,
  }: { readonly done: number; readonly failed: number; readonly total: number | undefined },
  pace: Pace,
): string[] {
  const { paint } = out;
  const { perSecond, leftMs } = pace.read(total === undefined ? undefined : total - done);
  const facts = [
    `${done} of ${total ?? '?'} images`,
    ...(failed > 0 ? [paint.red(`${failed} failed`)] : []),
    ...(perSecond === undefined || perSecond === 0 ? [] : [`${perSecond.toFixed(2)} images/s`]),
    ...(leftMs === undefined || leftMs === 0 ? [] : [`about ${formatDuration(leftMs)} left`]),
  ];
  return [
    `${paint.bold(`Job ${job.id}`)} ${job.name ?? ''}: ${job.status}${job.pipeline ? `, ${job.pipeline.slug}` : ''}`,
    ...(job.progress?.stages ?? []).map(
      ({ key, name, status, progress }) =>
        `  ${(name ?? key).padEnd(10)} ${paint.cyan(bar(progress, 28))} ${percent(progress).padStart(5)}  ${status}`,
    ),
    `  ${facts.join(' · ')}`,
  ];
}
