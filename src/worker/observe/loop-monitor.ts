import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { limitWarnings } from '../../log/limited.js';
import type { Logger } from '../../log/logger.js';
import type { Clock } from '../../time/clock.js';
import type { LoopDelaySummary } from './snapshot.js';

/** Options of {@link LoopMonitor}. Durations in milliseconds. */
export interface LoopMonitorOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called for every stall. */
  readonly onStall: (stall: { readonly durationMs: number }) => void;
  /** Between two looks. Default 100. */
  readonly intervalMs?: number | undefined;
  /** A delay that is worth a warning. Default 200. */
  readonly warnMs?: number | undefined;
  /** A delay that is a stall: heartbeats and posts wait. Default 1,000. */
  readonly stallMs?: number | undefined;
}

/** How long a delay speaks for the present. */
const RECENT_MS = 10_000;
/** How often Node's own histogram looks. */
const RESOLUTION_MS = 20;

/**
 * Notices when the event loop stands still, which means that a handler computes in the worker's own thread.
 *
 * Node's histogram gives the percentiles. It cannot give the events: it loses the sample after each reset, and a stall with it. So a
 * timer looks how late it is itself, on the monotonic clock, which a suspended machine does not move.
 */
export class LoopMonitor {
  readonly #options: LoopMonitorOptions;
  readonly #logger: Logger;
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #cancel: (() => void) | undefined;
  #worst = { atMs: 0, delayMs: 0 };

  constructor(options: LoopMonitorOptions) {
    this.#options = options;
    this.#logger = limitWarnings(options.logger, options.clock);
  }

  start(): void {
    if (this.#cancel) return;
    this.#histogram.enable();
    this.#arm();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#histogram.disable();
  }

  /** The longest delay of the last 10 s. */
  recentDelayMs(): number {
    return this.#options.clock.now() - this.#worst.atMs <= RECENT_MS ? this.#worst.delayMs : 0;
  }

  summary(): LoopDelaySummary {
    // It measures from one look to the next, so that an idle loop has the delay of one interval.
    const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    if (this.#histogram.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 };
    const { max } = this.#histogram;
    return {
      p50Ms: ms(this.#histogram.percentile(50)),
      p99Ms: ms(this.#histogram.percentile(99)),
      maxMs: ms(max),
    };
  }

  #arm(): void {
    const { clock, intervalMs = 100 } = this.#options;
    const dueAt = clock.now() + intervalMs;
    this.#cancel = clock.schedule(intervalMs, () => {
      this.#look(clock.now() - dueAt);
      if (this.#cancel) this.#arm();
    });
  }

  #look(delayMs: number): void {
    const { clock, onStall, warnMs = 200, stallMs = 1_000 } = this.#options;
    if (delayMs >= this.recentDelayMs()) this.#worst = { atMs: clock.now(), delayMs };
    if (delayMs < warnMs) return;
    const durationMs = Math.round(delayMs);
    this.#logger.warn(
      { durationMs },
      'the event loop stood still: a handler that computes belongs in a thread or process executor',
    );
    if (delayMs >= stallMs) onStall({ durationMs });
  }
}
