import { DELIVERY_RULES, Downloader, onTermination, systemClock, type AntennaClient } from '../../index.js';
import { measureDataPath, type DataPathFigures } from '../bench/data-path.js';
import { figureLines, ratesOf } from '../bench/figures.js';
import { connect } from '../connect.js';
import { formatDuration } from '../durations.js';
import { EXIT, UsageError } from '../exit-codes.js';
import type { Frame, Run } from '../frame.js';

const DEFAULT_TIME_MS = 120_000;

/** `antenna bench --job 42`: how fast the data comes, without a model. */
export const run: Run = async (frame) => {
  const { out, settings } = frame;
  const jobId = jobOf(frame);
  const images = countOf(frame, 'tasks', 200);
  const downloads = countOf(frame, 'downloads', 16);
  const acknowledge = frame.options['ack'] === true;
  await using client = await connect(frame);
  const { pipeline } = await client.jobs.get(jobId);
  warnOfCost(frame, client, acknowledge);
  const downloader = new Downloader({ clock: systemClock, limits: { attempts: 1, proxy: client.proxy } });
  const stop = new AbortController();
  const end = (): void => {
    stop.abort();
  };
  const timer = setTimeout(end, settings.maxTime ?? DEFAULT_TIME_MS);
  const unlisten = onTermination({ graceful: end, immediate: () => process.exit() });
  try {
    const { maxBatchSize: batchSize = 32 } = settings;
    const figures = await measureDataPath({
      ...{ client, downloader, jobId, images, batchSize, downloads, acknowledge },
      pipeline: pipeline?.slug ?? 'none',
      stop: stop.signal,
    });
    tell(frame, jobId, acknowledge, figures);
    if (figures.images > 0) return EXIT.ok;
    if (figures.failed === 0)
      out.note(`job ${jobId} gave no task: it is over, not started, or all of it is with other workers`);
    return EXIT.failed;
  } finally {
    clearTimeout(timer);
    unlisten();
    await downloader.close();
  }
};

/** Nobody should learn afterwards what a measurement did to a job. */
function warnOfCost({ out }: Frame, client: AntennaClient, acknowledge: boolean): void {
  if (acknowledge) {
    out.warn('--ack uses the job up: no model looks at the images, and each is saved as one without insects');
    return;
  }
  const { leaseMs, maxDeliveries } = DELIVERY_RULES[client.dialect ?? 'api-key'];
  out.note(
    `Nothing is acknowledged: the tasks come back after their lease of ${formatDuration(leaseMs)}, ` +
      `each with one of its ${maxDeliveries} deliveries used up. Measure with a job that can bear it.`,
  );
}

function tell({ out }: Frame, job: number, acknowledged: boolean, figures: DataPathFigures): void {
  out.document({ ok: figures.images > 0, job, acknowledged, ...ratesOf(figures), ...figures });
  out.line(out.paint.bold(`Job ${job}, ${acknowledged ? 'acknowledged' : 'not acknowledged'}`));
  for (const line of figureLines(figures, out.paint)) out.line(`  ${line}`);
}

function jobOf({ options }: Frame): number {
  const id = Number(options['job']);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new UsageError('--job must be the id of a job: antenna bench --job 42; antenna jobs lists them');
}

function countOf({ options }: Frame, name: string, usual: number): number {
  const count = Number(options[name] ?? usual);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new UsageError(`--${name} must be a whole number from 1`);
}
