import { type Downloader, Preemption } from '../images/download.js';
import { RetryableTaskError } from '../handler/task-errors.js';
import { lastShare } from '../policy/shares/shares.js';
import { postBackoffCapMs } from '../policy/backoff.js';
import { refOf, type RunContext } from '../run/context.js';
import { TaskSet } from '../task/task-set.js';
import type { WorkItem } from '../task/work-item.js';
import { dropExpired, pickNext, type PickPort } from './pick.js';
import { publishSpan } from '../observe/spans.js';

/** What downloading needs of a run. */
export type DownloadPort = Pick<
  RunContext,
  'options' | 'clock' | 'bus' | 'leases' | 'estimator' | 'hold' | 'phases' | 'origins' | 'note'
> &
  PickPort;

/** Where downloaded and failed tasks go. */
export interface DownloadSink {
  readonly downloaded: (item: WorkItem) => void;
  readonly failed: (item: WorkItem, error: unknown) => void;
}

/** Tasks of one job whose images are at one host. */
interface Source {
  readonly origin: string;
  readonly jobId: number;
  readonly queue: WorkItem[];
  running: number;
}

/**
 * Brings images into memory, several at a time, within a budget of bytes. Slots are shared by image host and memory by job: a host that
 * does not answer gives its slots back to those that wait, and no job fills all of the memory.
 */
export class DownloadStage {
  readonly #context: DownloadPort;
  readonly #downloader: Downloader;
  readonly #sink: DownloadSink;
  readonly #tasks: TaskSet;
  readonly #sources = new Map<string, Source>();

  constructor(context: DownloadPort, downloader: Downloader, sink: DownloadSink) {
    this.#context = context;
    this.#downloader = downloader;
    this.#sink = sink;
    this.#tasks = new TaskSet((error) => {
      context.note(error, 'downloading an image');
    });
  }

  offer(items: readonly WorkItem[]): void {
    for (const item of items) this.#sourceOf(item).queue.push(item);
    this.pump();
  }

  /** Starts as many downloads as may run. Called whenever something changed; harmless otherwise. */
  pump(): void {
    if (this.#sources.size === 0) return;
    // One look at the clock: this is called with every step of every task.
    const nowMs = this.#context.clock.now();
    for (let source = this.#nextSource(nowMs); source; source = this.#nextSource(nowMs)) {
      const item = pickNext(source.queue, this.#context, (one) => this.#durationMs(one));
      if (item) this.#begin(item, source);
      else this.#tidy(source);
    }
    this.#makeRoom(nowMs);
  }

  /** Lets go of what waits behind a host that does not answer and belongs to another worker by now. To be called now and then. */
  sweep(): void {
    for (const source of [...this.#sources.values()]) {
      dropExpired(source.queue, this.#context);
      this.#tidy(source);
    }
  }

  idle(): Promise<void> {
    return this.#tasks.idle();
  }

  /** Of the sources that may start one: of the host with the fewest under way, and of the job with the fewest; else the older task. */
  #nextSource(nowMs: number): Source | undefined {
    const { origins } = this.#context;
    // Asked with every task that moves, and most find all slots taken.
    let memory: number | undefined;
    let best: Source | undefined;
    let bestLoad = 0;
    for (const source of this.#sources.values()) {
      if (source.queue.length === 0 || !origins.mayStart(source.origin, nowMs)) continue;
      memory ??= this.#memory(nowMs);
      if (!this.#hasMemory(source, memory, nowMs)) continue;
      const load = origins.runningOf(source.origin) * 1_000 + source.running;
      if (best && (load > bestLoad || (load === bestLoad && leasedAt(source) >= leasedAt(best)))) continue;
      best = source;
      bestLoad = load;
    }
    return best;
  }

  /** All slots are taken: one that hangs makes way for a job that has none at a host that is well. */
  #makeRoom(nowMs: number): void {
    const { origins, phases } = this.#context;
    const victim = origins.toPreempt(nowMs);
    if (!victim || phases.flush.aborted) return;
    for (const { queue, origin, running } of this.#sources.values()) {
      if (queue.length === 0 || running > 0 || origins.isSuspect(origin, nowMs)) continue;
      victim.preempt();
      return;
    }
  }

  #begin(item: WorkItem, source: Source): void {
    const { clock, origins } = this.#context;
    const running = new Preemption(item.jobId, clock.now());
    source.running += 1;
    origins.started(source.origin, running);
    item.stage = 'downloading';
    this.#tasks.start(() => this.#download(item, source, running));
  }

  async #download(item: WorkItem, source: Source, running: Preemption): Promise<void> {
    const { bus, leases, phases } = this.#context;
    item.startedAtMs = running.startedAtMs;
    const { jobId, task, delivery: attempt } = item;
    bus.emit('task_started', { jobId, imageId: task.image_id, attempt, slackMs: leases.remainingMs(item) });
    let failure: { readonly error: unknown } | undefined;
    try {
      item.image =
        item.pipeline.images === 'url'
          ? { bytes: Buffer.alloc(0), contentType: undefined }
          : await this.#downloader.download(item.task, phases.flush, {
              // A retry that ends after the lease is work for somebody else's task.
              remainingMs: () => leases.remainingMs(item),
              preemption: running,
            });
      item.stage = 'ready';
    } catch (error) {
      failure = { error };
    }
    this.#ended(item, source, running, failure);
  }

  #ended(
    item: WorkItem,
    source: Source,
    running: Preemption,
    failure: { readonly error: unknown } | undefined,
  ): void {
    const { clock, origins, phases, hold } = this.#context;
    const nowMs = clock.now();
    if (!failure) this.#succeeded(item, nowMs - running.startedAtMs, nowMs);
    else if (failure.error instanceof RetryableTaskError && !running.requested)
      this.#struggled(item, failure.error);
    source.running -= 1;
    origins.ended(source.origin, running);
    if (failure && running.requested && item.stage === 'downloading' && !phases.flush.aborted) {
      item.stage = 'queued';
      source.queue.push(item);
      this.pump();
      return;
    }
    // Before the image goes on: its slot would stand empty for as long as the stages after this one take.
    this.pump();
    this.#tidy(source);
    // A hung image server must not end a task that the worker gave up anyway.
    if (item.stage === 'settled') return;
    if (failure && phases.flush.aborted) hold.settle(item, 'abandoned');
    else if (failure) {
      const error = failure.error instanceof Error ? failure.error.name : 'error';
      publishSpan('download', () => ({ ...refOf(item), durationMs: nowMs - running.startedAtMs, error }));
      this.#sink.failed(item, failure.error);
    } else this.#sink.downloaded(item);
  }

  #succeeded(item: WorkItem, durationMs: number, nowMs: number): void {
    const { estimator, origins, bus } = this.#context;
    const bytes = item.image?.bytes.length ?? 0;
    estimator.download(item.origin, { durationMs, bytes }, nowMs);
    origins.succeeded(item.origin, nowMs);
    const { jobId, task, delivery: attempt } = item;
    bus.emit('downloaded', { jobId, imageId: task.image_id, attempt, bytes, durationMs });
    publishSpan('download', () => ({ ...refOf(item), durationMs }));
  }

  #struggled(item: WorkItem, error: RetryableTaskError): void {
    const { clock, origins, leases } = this.#context;
    const facts = { detail: error.message, jobId: item.jobId, capMs: postBackoffCapMs(leases.lengthMs) };
    origins.failed(item.origin, clock.now(), facts);
  }

  /** Bytes of images that are in memory or will be, of all jobs. */
  #memory(nowMs: number): number {
    const { hold, estimator, origins } = this.#context;
    let bytes = hold.imageBytes();
    if (origins.running === 0) return bytes;
    for (const { running, origin } of this.#sources.values())
      if (running > 0) bytes += running * estimator.imageBytes(nowMs, origin);
    return bytes;
  }

  /**
   * Room for one more image of this job, or nothing in memory at all: an image larger than the budget must pass too. The last share of
   * the memory is no single job's.
   */
  #hasMemory({ jobId, origin }: Source, memory: number, nowMs: number): boolean {
    const { hold, estimator, options } = this.#context;
    if (memory === 0) return true;
    const budget = options.imageBudgetBytes;
    const most = budget - lastShare(budget);
    const bytes = estimator.imageBytes(nowMs, origin);
    if (memory + bytes <= most) return true;
    if (memory + bytes > budget) return false;
    let own = hold.imageBytesOf(jobId) + bytes;
    for (const source of this.#sources.values())
      if (source.jobId === jobId) own += source.running * estimator.imageBytes(nowMs, source.origin);
    return own <= most;
  }

  #durationMs({ pipeline, origin }: WorkItem): number {
    const { estimator, clock } = this.#context;
    const nowMs = clock.now();
    return estimator.downloadP95Ms(nowMs, origin) + estimator.callHighMs(pipeline.slug, nowMs);
  }

  #sourceOf(item: WorkItem): Source {
    const key = keyOf(item);
    let source = this.#sources.get(key);
    if (!source) {
      source = { origin: item.origin, jobId: item.jobId, queue: [], running: 0 };
      this.#sources.set(key, source);
    }
    return source;
  }

  #tidy(source: Source): void {
    if (source.queue.length === 0 && source.running === 0) this.#sources.delete(keyOf(source));
  }
}

function keyOf({ jobId, origin }: { readonly jobId: number; readonly origin: string }): string {
  return `${jobId} ${origin}`;
}

function leasedAt({ queue: [first] }: Source): number {
  return first?.leasedAt.monotonicMs ?? 0;
}
