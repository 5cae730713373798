import type { Logger } from '../../log/logger.js';
import type { RegistrationReport } from '../../registration/report.js';
import type { FoundBox } from '../handler/found-boxes.js';
import type { Fate } from '../task/outcome.js';
import type { Trouble } from '../policy/shares/troubles.js';
import type { WorkerState } from '../task/state.js';

/** Which task an event is about. `attempt` is the number of the delivery, if it could be read. */
export interface TaskRef {
  readonly jobId: number;
  readonly imageId: string;
  readonly attempt?: number | undefined;
}

/** Every event of a worker with its payload: the single source for `on`, `emit` and the documentation. Durations in milliseconds. */
export interface WorkerEvents {
  /** The worker entered another state. */
  state: { readonly from: WorkerState; readonly to: WorkerState };
  /** The pipelines were registered for a project; look at `report.ok`. */
  registered: { readonly projectId: number; readonly report: RegistrationReport };
  /** A job was seen for the first time. */
  job_added: { readonly jobId: number; readonly pipeline: string };
  /** A job left: no longer listed, or gone. Tasks in hand are still finished. */
  job_removed: { readonly jobId: number; readonly reason: 'not-listed' | 'gone' };
  /** A job is left alone: not ours, or the server refuses its results. */
  job_rejected: { readonly jobId: number; readonly reason: string };
  /** A job with tasks in hand has had no accepted result for so long; a server of the `token` dialect ends it after 10 minutes. */
  job_stalled: { readonly jobId: number; readonly silentMs: number; readonly held: number };
  /** No tasks of a pipeline are taken: its model is away, or does not take images at all. Those in hand are left to lapse. */
  pipeline_closed: { readonly pipeline: string; readonly reason: string };
  /** Tasks of the pipeline are taken again. */
  pipeline_opened: { readonly pipeline: string };
  /** Tasks were taken. `count` is without those that we held already. */
  reserved: {
    readonly jobId: number;
    readonly count: number;
    readonly asked: number;
    readonly durationMs: number;
  };
  /**
   * A job or task of an answer could not be read, and the others were used without it; told once, however often the server sends it. A
   * task that still names its image is answered with an error result; any other is left to the server. `id` is what stood there as the
   * job's or task's own, if that can be read; a job has no `jobId`.
   */
  left_out: {
    readonly what: 'job' | 'task';
    readonly jobId?: number;
    readonly id: string | undefined;
    readonly path: string;
    readonly problem: string;
    readonly answered: boolean;
  };
  /**
   * The server's saving has become the limit of a job, or is none any more (`limited`). Results saved a second, tasks between
   * reservation and saving over all workers, and how many of them there may be; left out where the server shows no numbers.
   */
  saving: {
    readonly jobId: number;
    readonly pipeline: string;
    readonly limited: boolean;
    readonly perSecond?: number | undefined;
    readonly outstanding?: number;
    readonly limit?: number;
  };
  /** A job had nothing for us; `empties` times in a row by now. */
  empty: { readonly jobId: number; readonly empties: number };
  /** A task came again while we held it or after we posted it. */
  redelivered: TaskRef & { readonly sinceMs: number };
  /** A shorter lease was learned from a redelivery. */
  lease_learned: { readonly leaseMs: number };
  /** One task takes longer than the usable part of the lease. Emitted once per pipeline and run. */
  lease_too_short: { readonly pipeline: string; readonly explanation: string };
  /** A lease ran out before the task was started; another worker gets it. */
  lease_expired: TaskRef & { readonly ageMs: number };
  /** A task's outcome was accepted after its lease: it counts, but was probably done twice. */
  task_late: TaskRef & { readonly lateMs: number };
  /** Monotonic and wall clock differ: suspended, or set forward (positive) or back (negative). */
  clock_jump: { readonly jumpMs: number };
  /** A download begins, with so much left of the task's lease. */
  task_started: TaskRef & { readonly slackMs: number };
  /** An image is in memory. */
  downloaded: TaskRef & { readonly bytes: number; readonly durationMs: number };
  /** A handler call ended. */
  batch_done: {
    readonly jobId: number;
    readonly pipeline: string;
    readonly tasks: number;
    readonly failed: number;
    readonly durationMs: number;
  };
  /**
   * Batches became smaller, because one failed as a whole while its parts went well or its memory did not suffice, or larger again by one
   * image. `from` and `to` are the images in one call at most.
   */
  batch_limit: {
    readonly jobId: number;
    readonly pipeline: string;
    readonly from: number;
    readonly to: number;
    readonly reason: 'failed' | 'out-of-memory' | 'grown';
  };
  /** A task has an outcome; it is not posted yet. */
  task: TaskRef & {
    readonly outcome: 'success' | 'error' | 'lapsed';
    readonly detections: number;
    /** From the start of the download. */
    readonly durationMs: number;
    /** What checking and encoding the result took, waiting for its turn included; successes only. */
    readonly encodeMs?: number;
    readonly error?: string;
  };
  /**
   * What was found on an image, for those who look on: its URL, which may be signed, and a box with its best label for each detection.
   * Made only while somebody listens.
   */
  found: TaskRef & { readonly imageUrl: string; readonly boxes: readonly FoundBox[] };
  /** The server accepted results. */
  posted: {
    readonly jobId: number;
    readonly count: number;
    readonly imageIds: readonly string[];
    /** What was left of each task's lease, in the order of `imageIds`; negative for those that were late. */
    readonly slackMs: readonly number[];
    readonly bytes: number;
    readonly durationMs: number;
  };
  /** A post failed and will be repeated. */
  post_retry: {
    readonly jobId: number;
    readonly count: number;
    readonly delayMs: number;
    readonly reason: string;
  };
  /** A post was refused as too large or invalid and is cut in two. */
  split: { readonly jobId: number; readonly count: number; readonly reason: 'too-large' | 'invalid' };
  /** Results were written to disk. */
  spooled: { readonly jobId: number; readonly count: number; readonly bytes: number };
  /** Results of an earlier process were dealt with: accepted, or set aside with a reason. */
  replayed: { readonly jobId: number; readonly count: number; readonly outcome: string };
  /** A task left the worker. Every task taken has exactly one. */
  settled: TaskRef & { readonly fate: Fate };
  /** A job, an image host or a pipeline has failed or not answered for 10 s; the others go on. */
  trouble: Trouble;
  /** It works again, nobody has wanted anything of it for 10 minutes, or more than 500 are in trouble and it is the oldest. */
  trouble_over: Trouble;
  /** Tasks were given up because the worker had to end; the server will deliver them again. */
  abandoned: { readonly tasks: readonly TaskRef[] };
  /** The event loop stood still: a handler computes in this thread. */
  stall: { readonly durationMs: number };
  /** Something went wrong that the worker goes on after. */
  error: { readonly error: unknown; readonly doing: string; readonly jobId?: number };
}

/** By name, for the check of a listener's: the compiler refuses this table when one is missing. */
const NAMES: Readonly<Record<keyof WorkerEvents, true>> = {
  state: true,
  registered: true,
  job_added: true,
  job_removed: true,
  job_rejected: true,
  job_stalled: true,
  pipeline_closed: true,
  pipeline_opened: true,
  reserved: true,
  left_out: true,
  saving: true,
  empty: true,
  redelivered: true,
  lease_learned: true,
  lease_too_short: true,
  lease_expired: true,
  task_late: true,
  clock_jump: true,
  task_started: true,
  downloaded: true,
  batch_done: true,
  batch_limit: true,
  task: true,
  found: true,
  posted: true,
  post_retry: true,
  split: true,
  spooled: true,
  replayed: true,
  settled: true,
  trouble: true,
  trouble_over: true,
  abandoned: true,
  stall: true,
  error: true,
};
export const EVENT_NAMES: readonly string[] = Object.keys(NAMES);

type Listener<Name extends keyof WorkerEvents> = (event: WorkerEvents[Name]) => void;

/** Hands events to listeners one by one; a listener that throws is logged and stops nothing. */
export class WorkerEventBus {
  readonly #listeners = new Map<keyof WorkerEvents, Set<Listener<never>>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @returns a function that takes the listener away. */
  on<Name extends keyof WorkerEvents>(name: Name, listener: Listener<Name>): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    return () => {
      set.delete(listener);
    };
  }

  /** Whether anybody listens: spares the work of an event that nobody hears. */
  hears(name: keyof WorkerEvents): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  emit<Name extends keyof WorkerEvents>(name: Name, event: WorkerEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        const answer: unknown = (listener as (event: WorkerEvents[Name]) => unknown)(event);
        // An asynchronous listener's failure would be an unhandled rejection, which ends the process.
        if (answer instanceof Promise)
          answer.catch((error: unknown) => {
            this.#failed(name, error);
          });
      } catch (error) {
        this.#failed(name, error);
      }
    }
  }

  #failed(name: string, error: unknown): void {
    this.#logger.error({ reason: name, error }, 'a listener threw; the worker goes on');
  }
}
