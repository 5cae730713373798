import type { LatencySummary } from '../../index.js';
import { formatBytes, formatDuration } from '../durations.js';
import { table, type Paint } from '../output.js';
import type { DataPathEnd, DataPathFigures } from './data-path.js';

/** What the figures mean, for people. */
const ENDS: Readonly<Record<DataPathEnd, string>> = {
  images: 'all that were asked for',
  stopped: 'stopped by the time or by a signal',
  empty: 'the job had nothing more to give (1,000 of its tasks are out at once at most)',
  repeats: 'only tasks that had come before were left: their leases have run out',
};

/** The rates over the whole time, which begins with the first request and ends with the last. */
export function ratesOf({ images, imageBytes, posts, durationMs }: DataPathFigures): {
  readonly imagesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly postsPerSecond: number;
} {
  const per = (count: number): number => (durationMs > 0 ? (count * 1_000) / durationMs : 0);
  return { imagesPerSecond: per(images), bytesPerSecond: per(imageBytes), postsPerSecond: per(posts) };
}

/** The figures in lines. */
export function figureLines(figures: DataPathFigures, paint: Paint): string[] {
  const { images, imageBytes, failed, reasons, repeats, posts, posted, results, durationMs, ended } = figures;
  const { imagesPerSecond, bytesPerSecond, postsPerSecond } = ratesOf(figures);
  const facts = [
    ['images', `${images}`, `${imagesPerSecond.toFixed(1)} a second`],
    ['bytes', formatBytes(imageBytes), `${formatBytes(Math.round(bytesPerSecond))} a second`],
    posts > 0
      ? ['posts', `${posts}`, `${postsPerSecond.toFixed(1)} a second, ${posted} results`]
      : ['posts', 'none', `${results} results were built and not posted`],
    ['repeats', `${repeats}`, repeats > 0 ? 'tasks that came again, counted in none of the above' : ''],
    ['failed', `${failed}`, failed > 0 ? 'images that could not be downloaded' : ''],
    ['time', formatDuration(durationMs), ENDS[ended]],
  ];
  const times = [
    ['', 'count', 'p50', 'p95', 'p99', 'max'],
    ...(['reserve', 'download', 'post'] as const).map((name) => [name, ...timesOf(figures[name])]),
  ];
  return [
    ...table(facts),
    '',
    ...table(times),
    ...Object.entries(reasons)
      .sort(([, a], [, b]) => b - a)
      .slice(0, 3)
      .map(([reason, count]) => paint.red(`${count} times: ${reason}`)),
  ];
}

function timesOf({ count, p50Ms, p95Ms, p99Ms, maxMs }: LatencySummary): string[] {
  if (count === 0) return ['0', '–', '–', '–', '–'];
  return [String(count), ...[p50Ms, p95Ms, p99Ms, maxMs].map(shortly)];
}

const shortly = (ms: number): string =>
  ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${ms.toFixed(0)} ms` : formatDuration(ms);
