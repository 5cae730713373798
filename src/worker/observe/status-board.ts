import type { AntennaClient } from '../../client/client.js';
import { jobProgress, type JobProgressCounts } from '../../contract/jobs.js';
import { checkOptions, hasMethods, isBoolean, isText, type Check } from '../../errors/arguments.js';
import { redact } from '../../http/redact.js';
import type { WorkerEvents } from './events.js';
import type { HealthReport } from './health.js';
import { Pace } from './pace.js';
import type { EventSource } from './record-events.js';
import type { WorkerMetricsSnapshot } from './snapshot.js';
import type { FailureOverview, ImageOverview, JobOverview, WorkerOverview } from './status.js';

/** What is looked at: an `AntennaWorker`. */
export interface WatchedWorker extends EventSource<WorkerEvents> {
  readonly client: AntennaClient;
  health(): HealthReport;
  metrics(): WorkerMetricsSnapshot;
  explain(): string;
}

/** Options of {@link StatusBoard}. */
export interface StatusBoardOptions {
  readonly worker: WatchedWorker;
  /** Default `worker`. */
  readonly name?: string | undefined;
  /** Keep the last images with their boxes. Default false: URLs of images can be signed. */
  readonly view?: boolean | undefined;
  /** What it computes on, such as `NVIDIA H100, 81559 MiB`. */
  readonly device?: string | undefined;
}

const OPTIONS: { readonly [Name in keyof Required<StatusBoardOptions>]: Check } = {
  worker: hasMethods('on', 'health', 'metrics', 'explain'),
  name: isText,
  view: isBoolean,
  device: isText,
};

/** How often the server is asked how far a job is, and only while somebody looks. */
const REFRESH_MS = 10_000;
const MAX_JOBS = 50;
const MAX_FAILURES = 20;
const MAX_IMAGES = 12;

interface Watched {
  readonly id: number;
  readonly pipeline: string;
  readonly pace: Pace;
  open: boolean;
  name: string | undefined;
  counts: JobProgressCounts | undefined;
  succeeded: number;
  failed: number;
}

/** Keeps what somebody who looks at a worker wants to see: jobs and how fast they go, failures, the last images. */
export class StatusBoard {
  readonly #options: StatusBoardOptions;
  readonly #jobs = new Map<number, Watched>();
  readonly #failures: FailureOverview[] = [];
  readonly #images: ImageOverview[] = [];
  readonly #pace = new Pace(60_000);
  readonly #startedAt: string;
  readonly #unlisten: readonly (() => void)[];
  #finished = 0;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;

  /** @throws AntennaConfigError naming every wrong option. */
  constructor(options: StatusBoardOptions) {
    checkOptions('Invalid StatusBoard options', options, OPTIONS, ['worker']);
    this.#options = options;
    this.#startedAt = this.#now();
    const { worker } = options;
    this.#pace.add(0, worker.client.clock.now());
    this.#unlisten = [
      worker.on('job_added', ({ jobId, pipeline }) => {
        this.#added(jobId, pipeline);
      }),
      worker.on('job_removed', ({ jobId }) => {
        const job = this.#jobs.get(jobId);
        if (job) job.open = false;
        // Its last numbers are wanted once more.
        this.#refreshedAtMs = Number.NEGATIVE_INFINITY;
      }),
      worker.on('task', (event) => {
        this.#task(event);
      }),
      ...(options.view === true
        ? [
            worker.on('found', (event) => {
              this.#found(event);
            }),
          ]
        : []),
    ];
  }

  /** What is to be seen now. Asks the server in the background how far the jobs are, at most every ten seconds. */
  status(): WorkerOverview {
    const { worker, name = 'worker', device } = this.#options;
    const { state, status, checks } = worker.health();
    const { counters, gauges, leaseSlack, stages, lateRatio } = worker.metrics();
    const nowMs = worker.client.clock.now();
    this.#pace.add(this.#finished, nowMs);
    if (nowMs - this.#refreshedAtMs >= REFRESH_MS) {
      this.#refreshedAtMs = nowMs;
      void this.#refresh();
    }
    return {
      ...{ name, pid: process.pid, state, health: status, startedAt: this.#startedAt, device },
      failing: checks
        .filter((check) => check.status !== 'ok')
        .map(({ name: check, detail }) => ({ name: check, detail })),
      explanation: worker.explain(),
      perSecond: this.#pace.read(undefined).perSecond,
      ...{ counters, held: gauges.held, hold: gauges.hold, outbox: gauges.outbox, spool: gauges.spool },
      ...{ leaseSlack, stages, lateRatio },
      jobs: [...this.#jobs.values()].map(overviewOf).reverse(),
      failures: [...this.#failures],
      images: [...this.#images],
    };
  }

  /** Stops listening. */
  close(): void {
    for (const stop of this.#unlisten) stop();
  }

  #now(): string {
    return new Date(this.#options.worker.client.clock.wallNow()).toISOString();
  }

  #added(id: number, pipeline: string): void {
    const known = this.#jobs.get(id);
    if (known) known.open = true;
    else {
      const counts = { open: true, name: undefined, counts: undefined, succeeded: 0, failed: 0 };
      this.#jobs.set(id, { id, pipeline, pace: new Pace(), ...counts });
      this.#refreshedAtMs = Number.NEGATIVE_INFINITY;
    }
    for (const [old, { open }] of this.#jobs) {
      if (this.#jobs.size <= MAX_JOBS) break;
      if (!open) this.#jobs.delete(old);
    }
  }

  #task({ jobId, imageId, outcome, error }: WorkerEvents['task']): void {
    this.#finished += 1;
    const job = this.#jobs.get(jobId);
    if (job && outcome === 'success') job.succeeded += 1;
    if (outcome === 'success') return;
    if (job && outcome === 'error') job.failed += 1;
    const reason = shown(error ?? 'no reason was given');
    this.#failures.unshift({ at: this.#now(), jobId, imageId, final: outcome === 'error', reason });
    this.#failures.length = Math.min(this.#failures.length, MAX_FAILURES);
  }

  #found({ jobId, imageId, imageUrl, boxes }: WorkerEvents['found']): void {
    this.#images.unshift({ at: this.#now(), jobId, imageId, url: imageUrl, boxes });
    this.#images.length = Math.min(this.#images.length, MAX_IMAGES);
  }

  async #refresh(): Promise<void> {
    const { client } = this.#options.worker;
    for (const job of this.#jobs.values()) {
      // A job that is over is asked for once more, for its last numbers.
      if (!job.open && job.counts?.done === job.counts?.total) continue;
      try {
        const found = await client.jobs.get(job.id, { retries: 0 });
        job.name = found.name ?? undefined;
        job.counts = jobProgress(found);
        job.pace.add(job.counts.done, client.clock.now());
      } catch {
        // Whoever looks sees the last numbers; that the server is away is told by the health checks.
      }
    }
  }
}

function overviewOf({ id, name, pipeline, open, counts, succeeded, failed, pace }: Watched): JobOverview {
  const remaining = counts?.total === undefined ? undefined : counts.total - counts.done;
  return {
    ...{ id, name, pipeline, open },
    ...{ done: counts?.done, failed: counts?.failed, total: counts?.total },
    mine: { succeeded, failed },
    ...pace.read(remaining),
  };
}

/** Reasons quote addresses of images, whose queries can be signatures. */
function shown(reason: string): string {
  return redact(reason.replaceAll(/(https?:\/\/[^\s?#"'<>]*)[?#][^\s"'<>]*/g, '$1?…'), []).slice(0, 300);
}
