import { leftOutOf, noteLeftOut, type WithLeftOut } from '../../contract/answer.js';
import type { JobSummary } from '../../contract/jobs.js';
import { Once } from '../../http/left-out-report.js';
import type { OpenJob, Rotation } from '../policy/rotation/rotation.js';
import { WORKER_DEFAULTS } from '../run/options.js';
import type { RunContext } from '../run/context.js';
import type { Wakeup } from '../task/wakeup.js';

/** How long a job with tasks in hand may go without an accepted result before somebody should look (WORKER §3.7). */
const STALLED_MS = 300_000;

/** Least time between two lists that are asked for because there is nothing to do. */
const IDLE_GAP_MS = 1_000;
/** Longest time for a heartbeat. */
const BEAT_MS = 10_000;

/** What the lister works with beside the run's context. */
export interface JobListerParts {
  readonly rotation: Rotation;
  readonly wakeup: Wakeup;
  /** Wakes the reserve loop. */
  readonly onChange: () => void;
  readonly probeSpool: () => Promise<void>;
}

/** The last list that succeeded. */
export interface LastList {
  /** When it was asked for, on the monotonic clock. */
  readonly askedAtMs: number;
  readonly jobs: number;
}

/**
 * Lists open jobs: often while there is nothing to do, every 20 to 25 s otherwise, also during a long inference, because listing is
 * what keeps a service online (contract §4.9). Where it does not, an empty registration or an empty post does (trap T22).
 */
export class JobLister {
  readonly #context: RunContext;
  readonly #parts: JobListerParts;
  readonly #stalledAt = new Map<number, number>();
  readonly #acceptedAt = new Map<number, number>();
  /** By project, the jobs that its last list showed. */
  readonly #showed = new Map<number | undefined, readonly OpenJob[]>();
  readonly #told = new Once();
  #lastList: LastList | undefined;
  #lastContactAt: number;
  #answeredAt: number | undefined;
  #lastJobId: number | undefined;

  constructor(context: RunContext, parts: JobListerParts) {
    this.#context = context;
    this.#parts = parts;
    this.#lastContactAt = context.clock.now();
  }

  get lastList(): LastList | undefined {
    return this.#lastList;
  }

  /** When the server last answered us, on the monotonic clock; undefined if it never has. */
  get answeredAtMs(): number | undefined {
    return this.#answeredAt;
  }

  /** The server heard of us by other means. */
  contact(): void {
    this.#lastContactAt = this.#answeredAt = this.#context.clock.now();
  }

  /** There is nothing to do: a new job or the end of an old one should be seen soon. */
  idle(): void {
    // A hundred jobs that answer empty are one reason to look, not a hundred.
    const askedAtMs = this.#lastList?.askedAtMs ?? Number.NEGATIVE_INFINITY;
    if (this.#context.clock.now() - askedAtMs >= IDLE_GAP_MS) this.#parts.wakeup.notify();
  }

  /** The server accepted results of this job. */
  accepted(jobId: number): void {
    this.contact();
    this.#lastJobId = jobId;
    this.#acceptedAt.set(jobId, this.#context.clock.now());
  }

  async run(): Promise<void> {
    const { phases, note } = this.#context;
    while (!phases.drain.aborted) {
      try {
        await this.#list();
        this.#alarm();
        await this.#heartbeat();
        await this.#parts.probeSpool();
      } catch (error) {
        note(error, 'listing jobs');
      }
      await this.#parts.wakeup.wait(this.#intervalMs(), phases.drain);
    }
  }

  async #list(): Promise<void> {
    const { client, clock, options, bus, server, note, troubles } = this.#context;
    const { rotation, onChange } = this.#parts;
    const askedAtMs = clock.now();
    const slugs = [...options.pipelines.keys()];
    const scopes = options.projects.length > 0 ? options.projects : [undefined];
    // Side by side: a project whose list hangs keeps the others' waiting no longer than its own time-out.
    const failures = (await Promise.all(scopes.map((project) => this.#listScope(project, slugs)))).filter(
      (failure) => failure !== undefined,
    );
    if (failures.length === scopes.length) throw failures[0]?.error;
    // One project that is closed to us, or broken, costs the others nothing, and its own jobs stay.
    for (const { error } of failures) note(error, 'listing jobs');
    if (client.dialect === 'token') this.contact();
    else this.#answeredAt = clock.now();
    const found = new Map([...this.#showed.values()].flat().map((job) => [job.id, job]));
    const { added, removed } = rotation.sync([...found.values()], clock.now());
    server.listed(new Set(found.keys()));
    if (failures.length === 0) this.#lastList = { askedAtMs, jobs: found.size };
    for (const { id, pipeline } of added) bus.emit('job_added', { jobId: id, pipeline: pipeline.slug });
    for (const { id } of removed) {
      troubles.forget(id, clock.now());
      bus.emit('job_removed', { jobId: id, reason: 'not-listed' });
    }
    this.#lastJobId ??= added[0]?.id;
    onChange();
  }

  /** Jobs of our pipelines; tells of those that could not be read. */
  #ours(jobs: WithLeftOut<readonly JobSummary[]>): OpenJob[] {
    const { options, bus } = this.#context;
    for (const bad of leftOutOf(jobs)) {
      const { id, path, problem } = bad;
      if (this.#told.isNew('', bad))
        bus.emit('left_out', { what: 'job', id, path, problem, answered: false });
    }
    return jobs.flatMap(({ id, pipeline_slug }) => {
      const pipeline = options.pipelines.get(pipeline_slug ?? '');
      return pipeline && (options.jobs?.includes(id) ?? true) ? [{ id, pipeline }] : [];
    });
  }

  /** @returns what failed, if the list did not come. */
  async #listScope(
    project: number | undefined,
    slugs: readonly string[],
  ): Promise<{ readonly error: unknown } | undefined> {
    const { client, clock, phases, server } = this.#context;
    try {
      const jobs = await client.jobs.open({ pipelines: slugs, project }, { signal: phases.drain });
      this.#showed.set(project, this.#ours(jobs));
      server.well('listing', project, clock.now());
      return undefined;
    } catch (error) {
      if (phases.drain.aborted) throw error;
      server.failed('listing', project, error, clock.now());
      // There are jobs, and none can be read: the server has answered, and says the same at every poll.
      if (leftOutOf(error).length === 0) return { error };
      this.#showed.set(project, this.#ours(noteLeftOut([], leftOutOf(error))));
      return undefined;
    }
  }

  #intervalMs(): number {
    const { options } = this.#context;
    const busy = this.#isBusy();
    const base = busy
      ? Math.max(options.pollIntervalMs, WORKER_DEFAULTS.heartbeatMs)
      : options.pollIntervalMs;
    // Between 80 and 100 % when it is a heartbeat, which must not come later than that.
    return busy ? base * (0.8 + options.random() * 0.2) : base * (0.75 + options.random() * 0.5);
  }

  /**
   * Whether another job could not be begun anyway. Tasks that wait for a host or a server in trouble are no reason to look away: a new
   * job is seen as soon as by an idle worker.
   */
  #isBusy(): boolean {
    const { options, hold, origins, clock } = this.#context;
    const nowMs = clock.now();
    let moving = 0;
    for (const { stage, origin } of hold) {
      const isStuck =
        stage === 'outbox' ||
        (stage !== 'processing' && stage !== 'ready' && origins.isSuspect(origin, nowMs));
      if (!isStuck) moving += 1;
      if (moving >= options.concurrency) return true;
    }
    return false;
  }

  async #heartbeat(): Promise<void> {
    const { client, clock, options, phases } = this.#context;
    const silentMs = clock.now() - this.#lastContactAt;
    if (client.dialect !== 'api-key' || silentMs < 0.8 * WORKER_DEFAULTS.heartbeatMs) return;
    const [projectId] = options.projects;
    this.contact();
    if (projectId !== undefined) await client.pipelines.register(projectId, [], { signal: phases.drain });
    else if (this.#lastJobId !== undefined)
      // Of its own time: a job whose posts hang must not keep the list of all jobs waiting.
      await client.results.submit(this.#lastJobId, [], {
        signal: phases.drain,
        retries: 0,
        timeoutMs: BEAT_MS,
      });
  }

  /** A server of the `token` dialect fails what is left of a job that had no result for ten minutes (trap T25). */
  #alarm(): void {
    const { hold, clock, bus, logger } = this.#context;
    const nowMs = clock.now();
    const held = new Map<number, number>();
    for (const { jobId } of hold) held.set(jobId, (held.get(jobId) ?? 0) + 1);
    // What was accepted before a job's tasks came says nothing about them.
    for (const times of [this.#stalledAt, this.#acceptedAt])
      for (const jobId of times.keys()) if (!held.has(jobId)) times.delete(jobId);
    for (const [jobId, count] of held) {
      const since = this.#stalledAt.get(jobId);
      if (since === undefined) {
        this.#stalledAt.set(jobId, nowMs);
        continue;
      }
      const silentMs = nowMs - Math.max(since, this.#acceptedAt.get(jobId) ?? 0);
      if (silentMs < STALLED_MS) continue;
      this.#stalledAt.set(jobId, nowMs);
      bus.emit('job_stalled', { jobId, silentMs, held: count });
      logger.warn(
        { job: jobId, count, durationMs: silentMs },
        'no result of this job was accepted for minutes',
      );
    }
  }
}
