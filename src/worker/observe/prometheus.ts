import type * as Prom from 'prom-client';
import type { Registry } from 'prom-client';
import { AntennaConfigError } from '../../errors/config.js';
import type { LatencySummary } from './latency.js';
import type { WorkerMetricsSnapshot } from './snapshot.js';

type PromClient = Pick<typeof Prom, 'Registry' | 'Counter' | 'Gauge' | 'collectDefaultMetrics'>;

/** Turns a snapshot into the text that Prometheus reads. */
export interface MetricsRenderer {
  readonly contentType: string;
  /** Several snapshots become one text, told apart by their labels. */
  render(snapshots: readonly LabelledSnapshot[]): Promise<string>;
}

/** A snapshot, and labels that all of its samples carry. */
export interface LabelledSnapshot {
  readonly labels: Readonly<Record<string, string>>;
  readonly snapshot: WorkerMetricsSnapshot;
}

/**
 * Loads `prom-client`, an optional peer: most workers need none of it.
 * @param required - fail when it is missing; otherwise that is undefined.
 * @throws AntennaConfigError that says what to install.
 */
export async function loadPrometheus(
  required: boolean,
  load: () => Promise<PromClient> = async () => (await import('prom-client')).default,
): Promise<MetricsRenderer | undefined> {
  try {
    return new PrometheusRenderer(await load());
  } catch (cause) {
    if (!required) return undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `needs the package prom-client, which cannot be loaded (${why}); run: npm install prom-client`;
    throw new AntennaConfigError('Cannot serve /metrics', [{ path: 'metrics', message }]);
  }
}

/** One value of a metric with its labels. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number | undefined];

/** A registry of its own, so that a program's own metrics stay its own; filled from a snapshot on every scrape. */
class PrometheusRenderer implements MetricsRenderer {
  readonly #prom: PromClient;
  readonly #processMetrics: Registry;

  constructor(prom: PromClient) {
    this.#prom = prom;
    this.#processMetrics = new this.#prom.Registry();
    this.#prom.collectDefaultMetrics({ register: this.#processMetrics });
  }

  get contentType(): string {
    return this.#processMetrics.contentType;
  }

  async render(snapshots: readonly LabelledSnapshot[]): Promise<string> {
    const texts = await Promise.all(snapshots.map((labelled) => this.#one(labelled)));
    return `${joined(texts)}\n${await this.#processMetrics.metrics()}`;
  }

  #one({ labels, snapshot }: LabelledSnapshot): Promise<string> {
    const registry = new this.#prom.Registry();
    registry.setDefaultLabels(labels);
    this.#counters(registry, snapshot);
    this.#gauges(registry, snapshot);
    this.#latencies(registry, snapshot);
    return registry.metrics();
  }

  #counters(registry: Registry, { counters, deliveries }: WorkerMetricsSnapshot): void {
    for (const [key, value] of Object.entries(counters)) {
      const name = `antenna_worker_${snake(key)}_total`;
      new this.#prom.Counter({ name, help: `Counter ${key}`, registers: [registry] }).inc(value);
    }
    const byDelivery = new this.#prom.Counter({
      name: 'antenna_worker_deliveries_total',
      help: 'Finished tasks by the number of their delivery',
      labelNames: ['attempt'],
      registers: [registry],
    });
    for (const [attempt, count] of Object.entries(deliveries)) byDelivery.inc({ attempt }, count);
  }

  #gauges(registry: Registry, { gauges, lateRatio, loopDelay }: WorkerMetricsSnapshot): void {
    const { state, held, hold, saving, estimates, outbox, spool, executors, troubles } = gauges;
    const gauge = (name: string, help: string, ...samples: readonly Sample[]): void => {
      this.#gauge(registry, `antenna_worker_${name}`, help, samples);
    };
    gauge('state', '1 for the state that the worker is in', [{ state }, 1]);
    gauge('held_tasks', 'Tasks reserved and not yet confirmed posted', [{}, held.count]);
    gauge('held_image_bytes', 'Images in memory', [{}, held.bytes]);
    gauge('hold_target_tasks', 'How many tasks it wants to hold, and which bound decided', [
      { bound: hold?.bound ?? 'none' },
      hold?.target,
    ]);
    this.#saving(registry, saving);
    gauge('outbox_results', 'Results that wait to be posted', [{}, outbox.count]);
    gauge('outbox_bytes', 'Their size', [{}, outbox.bytes]);
    gauge('outbox_oldest_seconds', 'Age of the oldest', [{}, (outbox.oldestAgeMs ?? 0) / 1_000]);
    // By stage, and not by job or host: labels must stay few.
    gauge(
      'troubles',
      'Jobs (reserve, post), image hosts (download) and pipelines (handler) that fail or stall',
      ...(['reserve', 'download', 'handler', 'post'] as const).map((stage): Sample => [
        { stage },
        troubles.filter((trouble) => trouble.stage === stage).length,
      ]),
    );
    gauge('spool_files', 'Posts on disk', [{}, spool?.files]);
    gauge('spool_bytes', 'Their size', [{}, spool?.bytes]);
    gauge('late_ratio', 'Late results of all posted', [{}, lateRatio]);
    gauge(
      'loop_delay_seconds',
      'Delay of the event loop',
      [{ quantile: '0.5' }, loopDelay.p50Ms / 1_000],
      [{ quantile: '0.99' }, loopDelay.p99Ms / 1_000],
      [{ quantile: '1' }, loopDelay.maxMs / 1_000],
    );
    const perPipeline = Object.entries(estimates);
    const estimate = (pick: 'taskMeanMs' | 'taskSdMs'): Sample[] =>
      perPipeline.map(([pipeline, of]) => [
        { pipeline },
        of[pick] === undefined ? undefined : of[pick] / 1_000,
      ]);
    gauge('task_mean_seconds', 'Estimated time per task', ...estimate('taskMeanMs'));
    gauge('task_sd_seconds', 'Its spread', ...estimate('taskSdMs'));
    gauge(
      'batch_limit_images',
      'Images in one call of the handler at most',
      ...perPipeline.map(([pipeline, of]): Sample => [{ pipeline }, of.batchLimit]),
    );
    const stats = Object.entries(executors);
    gauge(
      'handler_busy',
      'Handler calls that run',
      ...stats.map(([pipeline, of]): Sample => [{ pipeline }, of.busy]),
    );
    gauge(
      'handler_consecutive_crashes',
      'Crashes since a handler call last ended well',
      ...stats.map(([pipeline, of]): Sample => [{ pipeline }, of.consecutiveCrashes]),
    );
  }

  #saving(registry: Registry, saving: WorkerMetricsSnapshot['gauges']['saving']): void {
    const jobs = Object.entries(saving);
    const add = (name: string, help: string, pick: 'perSecond' | 'outstanding' | 'limit'): void => {
      const samples = jobs.map(([job, of]): Sample => [{ job, pipeline: of.pipeline }, of[pick]]);
      this.#gauge(registry, `antenna_worker_saving_${name}`, help, samples);
    };
    add('results_per_second', 'Saved, of jobs whose limit is the saving', 'perSecond');
    add('outstanding_tasks', 'Of all workers, between reservation and saving', 'outstanding');
    add('limit_tasks', 'How many of them there may be', 'limit');
  }

  #latencies(registry: Registry, { stages, leaseSlack, lateness }: WorkerMetricsSnapshot): void {
    const rows = Object.entries(stages).map(([stage, summary]) => [{ stage }, summary] as const);
    this.#latency(registry, 'antenna_worker_stage_seconds', 'Time of a stage', rows);
    const slack = [
      [{ at: 'start' }, leaseSlack.start],
      [{ at: 'post' }, leaseSlack.post],
    ] as const;
    this.#latency(registry, 'antenna_worker_lease_slack_seconds', 'What was left of the lease', slack);
    this.#latency(registry, 'antenna_worker_lateness_seconds', 'By how much late results were late', [
      [{}, lateness],
    ]);
  }

  #latency(
    registry: Registry,
    name: string,
    help: string,
    rows: readonly (readonly [labels: Readonly<Record<string, string>>, summary: LatencySummary])[],
  ): void {
    const quantiles = rows.flatMap(([labels, of]): Sample[] => [
      [{ ...labels, quantile: '0.5' }, of.p50Ms / 1_000],
      [{ ...labels, quantile: '0.95' }, of.p95Ms / 1_000],
      [{ ...labels, quantile: '0.99' }, of.p99Ms / 1_000],
    ]);
    this.#gauge(registry, name, help, quantiles);
    this.#gauge(
      registry,
      `${name}_sum`,
      `${help}, in all`,
      rows.map(([labels, of]) => [labels, of.sumMs / 1_000]),
    );
    this.#gauge(
      registry,
      `${name}_count`,
      `${help}, samples`,
      rows.map(([labels, of]) => [labels, of.count]),
    );
  }

  #gauge(registry: Registry, name: string, help: string, samples: readonly Sample[]): void {
    const labelNames = [...new Set(samples.flatMap(([labels]) => Object.keys(labels)))];
    const gauge = new this.#prom.Gauge({ name, help, labelNames, registers: [registry] });
    for (const [labels, value] of samples) if (value !== undefined) gauge.set(labels, value);
  }
}

/** One text of several: each metric may be described once only, with the samples of all below it. */
function joined(texts: readonly string[]): string {
  const [only] = texts;
  if (only !== undefined && texts.length === 1) return only;
  const metrics = new Map<string, { readonly head: Set<string>; readonly samples: string[] }>();
  for (const text of texts) {
    let current: { readonly head: Set<string>; readonly samples: string[] } | undefined;
    for (const line of text.split('\n')) {
      const name = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1];
      if (name !== undefined) {
        current = metrics.get(name) ?? { head: new Set(), samples: [] };
        metrics.set(name, current);
        current.head.add(line);
      } else if (line !== '') current?.samples.push(line);
    }
  }
  return [...metrics.values()].flatMap(({ head, samples }) => [...head, ...samples]).join('\n');
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
