import type { MachineOverview } from '../../index.js';
import type { Settings } from '../settings.js';

/** Kubernetes gives 30 s before it kills. */
export const DEFAULT_GRACE_MS = 25_000;

/** What a run is watched for. */
export interface LimitOptions {
  readonly settings: Settings;
  readonly overview: () => MachineOverview;
  /** Called once, with the reason in words. */
  readonly stop: (reason: string, limit: 'time' | 'idle') => void;
}

/** How long after its start a run is told to stop, so that it is gone, grace included, when its time is over. */
export function stopAfterMs(maxTimeMs: number, graceMs: number): number {
  return Math.max(0, maxTimeMs - graceMs);
}

/**
 * Watches `--max-time` and `--exit-when-idle`.
 * @returns a function that ends the watch.
 */
export function watchLimits({ settings, overview, stop }: LimitOptions): () => void {
  const timers: NodeJS.Timeout[] = [];
  const end = (): void => {
    for (const timer of timers) clearTimeout(timer);
  };
  const { maxTime, exitWhenIdle, grace = DEFAULT_GRACE_MS } = settings;
  if (maxTime !== undefined) {
    // From the start of the process: a batch system's clock began then.
    const delayMs = stopAfterMs(maxTime, grace) - performance.now();
    timers.push(
      setLongTimeout(() => {
        stop('the time of --max-time is nearly over', 'time');
      }, delayMs),
    );
  }
  if (exitWhenIdle !== undefined) {
    let last = '';
    let sinceMs = performance.now();
    timers.push(
      setInterval(
        () => {
          const activity = activityOf(overview());
          if (activity !== last) {
            last = activity;
            sinceMs = performance.now();
          } else if (performance.now() - sinceMs >= exitWhenIdle)
            stop('there was nothing to do for the time of --exit-when-idle', 'idle');
        },
        Math.min(1_000, Math.max(50, exitWhenIdle / 4)),
      ),
    );
  }
  return end;
}

/** Something that differs whenever a task came or is in hand; the same text twice means nothing happened in between. */
function activityOf({ workers }: MachineOverview): string {
  const busy = workers.some(({ held }) => held.count > 0);
  return busy ? `busy ${performance.now()}` : workers.map(({ counters }) => counters.reserved).join();
}

/** Longer than 24 days is more than a timer can hold, and then it would fire at once. */
function setLongTimeout(run: () => void, delayMs: number): NodeJS.Timeout {
  return setTimeout(run, Math.min(2_147_483_647, Math.max(0, delayMs)));
}
