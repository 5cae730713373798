import type * as CliProgress from 'cli-progress';
import { AntennaConfigError } from '../../errors/config.js';
import { checkArguments, checkOptions, hasMethods, isCount, type Check } from '../../errors/arguments.js';
import type { EventSource } from './record-events.js';

/** The events that the bar shows. */
export interface ProgressEvents {
  reserved: { readonly count: number };
  task: { readonly outcome: 'success' | 'error' | 'lapsed'; readonly detections: number };
  posted: { readonly count: number };
}

/** Options of {@link progressBar}. */
export interface ProgressBarOptions {
  /** Where the bar is drawn. Default standard error. */
  readonly stream?: NodeJS.WriteStream | undefined;
  /** Images in all, if known. By default those reserved so far, so that the bar follows the work in hand. */
  readonly total?: number | undefined;
}

const OPTIONS: { readonly [Name in keyof Required<ProgressBarOptions>]: Check } = {
  stream: hasMethods('write'),
  total: isCount(0),
};

/** A bar on the screen. */
export interface ProgressBar {
  /** Takes the listeners away and leaves the last state on the screen. Harmless when called again. */
  stop(): void;
}

const FORMAT = '{bar} {value}/{total} images | {detections} detections | {failed} failed | {posted} posted';

/**
 * Draws a worker's progress on a terminal, with `cli-progress`, an optional peer. Into a file or pipe nothing is written, and nothing
 * is loaded: a log full of bars helps nobody.
 * @throws AntennaConfigError naming every wrong option; when `cli-progress` is missing.
 */
export async function progressBar(
  source: EventSource<ProgressEvents>,
  options: ProgressBarOptions = {},
): Promise<ProgressBar> {
  checkArguments({ source }, { source: hasMethods('on') });
  checkOptions('Invalid progressBar options', options, OPTIONS);
  const { stream = process.stderr, total } = options;
  if (!stream.isTTY) return { stop: () => undefined };
  const { SingleBar } = await loadCliProgress();
  const bar = new SingleBar({ format: FORMAT, stream, hideCursor: true, barsize: 30 });
  const shown = { detections: 0, failed: 0, posted: 0 };
  let reserved = 0;
  bar.start(total ?? 0, 0, { ...shown });
  const unlisten = [
    source.on('reserved', ({ count }) => {
      reserved += count;
      if (total === undefined) bar.setTotal(reserved);
    }),
    source.on('task', ({ outcome, detections }) => {
      shown.detections += detections;
      if (outcome !== 'success') shown.failed += 1;
      bar.increment(1, { ...shown });
    }),
    source.on('posted', ({ count }) => {
      shown.posted += count;
      bar.update({ ...shown });
    }),
  ];
  return {
    stop: () => {
      for (const stop of unlisten.splice(0)) stop();
      bar.stop();
    },
  };
}

async function loadCliProgress(): Promise<Pick<typeof CliProgress, 'SingleBar'>> {
  try {
    // A CommonJS module: import() is sure to have its exports only under `default`.
    return (await import('cli-progress')).default;
  } catch {
    const message = 'needs the package cli-progress; run: npm install cli-progress';
    throw new AntennaConfigError('Cannot draw a progress bar', [{ path: '', message }]);
  }
}
