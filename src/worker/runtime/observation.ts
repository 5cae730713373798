import { systemClock } from '../../time/clock.js';
import type { HealthFacts } from '../observe/health.js';
import { LoopMonitor } from '../observe/loop-monitor.js';
import { WorkerMetrics } from '../observe/metrics.js';
import { recordEvents } from '../observe/record-events.js';
import type { SizingEstimates, WorkerGauges, WorkerMetricsSnapshot } from '../observe/snapshot.js';
import type { WorkerEventBus } from '../observe/events.js';
import type { ResolvedWorkerOptions } from '../run/options.js';
import { limitsOf, type RunContext } from '../run/context.js';
import type { Engine } from './engine.js';

/** What health goes by beside the hold and the engine. */
export interface LoopFacts {
  readonly startedAtMs: number;
  readonly lastTurnAtMs: number;
  readonly lastContactAtMs: number | undefined;
}

/** Metrics of a worker over all of its runs, and the watch over its event loop. */
export class Observation {
  readonly #metrics = new WorkerMetrics();
  readonly #monitor: LoopMonitor;

  constructor(bus: WorkerEventBus, options: ResolvedWorkerOptions) {
    recordEvents(bus, this.#metrics);
    this.#monitor = new LoopMonitor({
      // The machine's own clock, whatever the worker goes by: it is the machine that stalls.
      clock: systemClock,
      logger: options.client.logger,
      onStall: (stall) => {
        bus.emit('stall', stall);
      },
    });
  }

  get loopDelayMs(): number {
    return this.#monitor.recentDelayMs();
  }

  start(): void {
    this.#monitor.start();
  }

  stop(): void {
    this.#monitor.stop();
  }

  snapshot(gauges: WorkerGauges): WorkerMetricsSnapshot {
    return this.#metrics.snapshot({ gauges: () => gauges }, this.#monitor.summary());
  }
}

/** Gauges of a worker that has never run. */
export function restingGauges(state: string): WorkerGauges {
  return {
    state,
    held: { count: 0, bytes: 0 },
    hold: undefined,
    saving: {},
    estimates: {},
    outbox: { count: 0, bytes: 0, oldestAgeMs: undefined },
    spool: undefined,
    executors: {},
    troubles: [],
  };
}

/** Facts of a worker that has never run. */
export function restingFacts(state: string, nowMs: number): HealthFacts {
  return {
    state,
    startedAtMs: nowMs,
    lastTurnAtMs: undefined,
    lastContactAtMs: undefined,
    oldestHeldAtMs: undefined,
    oldestOutboxAtMs: undefined,
    loopDelayMs: 0,
    outboxFull: false,
    spoolFailing: false,
    consecutiveCrashes: 0,
    troubles: [],
  };
}

/** What is measured at this moment. */
export function gaugesOf(state: string, context: RunContext, engine: Engine): WorkerGauges {
  const { hold, clock, estimator, options } = context;
  const nowMs = clock.now();
  const oldest = oldestOutbox(context);
  const estimates: Record<string, SizingEstimates> = {};
  for (const { slug, batchSize } of options.pipelines.values()) {
    const inputs = estimator.inputs(slug, batchSize, limitsOf(context), nowMs);
    const measured = (value: number): number | undefined => (value === 0 ? undefined : value);
    estimates[slug] = {
      batchLimit: inputs.batchSize,
      taskMeanMs: inputs.calls === 0 ? undefined : inputs.taskMeanMs,
      taskSdMs: inputs.calls === 0 ? undefined : inputs.taskSdMs,
      downloadP95Ms: measured(inputs.downloadP95Ms),
      reserveP95Ms: measured(inputs.reserveP95Ms),
    };
  }
  const { lastSizing } = estimator;
  const saving = context.pace.limited(nowMs);
  return {
    state,
    held: { count: hold.size, bytes: hold.imageBytes() },
    hold: lastSizing && {
      target: lastSizing.target,
      bound: Object.keys(saving).length > 0 ? 'saving' : lastSizing.bound,
    },
    saving,
    estimates,
    outbox: {
      count: hold.byStage().outbox,
      bytes: engine.outbox.bytes,
      oldestAgeMs: oldest === undefined ? undefined : nowMs - oldest,
    },
    spool: engine.spoolSize,
    executors: engine.executorStats,
    troubles: context.troubles.list(nowMs),
  };
}

/** The facts behind "it works". */
export function healthFactsOf(
  state: string,
  context: RunContext,
  engine: Engine,
  loop: LoopFacts & { readonly loopDelayMs: number },
): HealthFacts {
  // Results that wait for the server are the outbox check's: a restart during a long outage would lose them.
  let oldestHeldAtMs: number | undefined;
  for (const { leasedAt, stage } of context.hold)
    if (stage !== 'outbox')
      oldestHeldAtMs = Math.min(oldestHeldAtMs ?? leasedAt.monotonicMs, leasedAt.monotonicMs);
  const crashes = Object.values(engine.executorStats).map(({ consecutiveCrashes }) => consecutiveCrashes);
  return {
    state,
    ...loop,
    oldestHeldAtMs,
    oldestOutboxAtMs: oldestOutbox(context),
    outboxFull: engine.outbox.blocked === 'full',
    spoolFailing: engine.outbox.blocked === 'spool',
    consecutiveCrashes: Math.max(0, ...crashes),
    clockOffsetMs: context.client.clockOffsetMs,
    serverTroubles: context.server.current(context.clock.now()),
    lastFailure: context.server.lastFailure,
    troubles: [...engine.closed, ...context.troubles.list(context.clock.now()).map(({ text }) => text)],
  };
}

function oldestOutbox({ hold }: RunContext): number | undefined {
  let oldest: number | undefined;
  for (const { stage, computedAtMs } of hold)
    if (stage === 'outbox' && computedAtMs !== undefined)
      oldest = Math.min(oldest ?? computedAtMs, computedAtMs);
  return oldest;
}
