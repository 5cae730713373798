import { setTimeout as delay } from 'node:timers/promises';
import { encodeResult, LatencyHistogram } from '../../index.js';
import type { AntennaClient, Downloader, EncodedResult, LatencySummary, Task } from '../../index.js';

/** What is measured. */
export interface DataPathOptions {
  readonly client: Pick<AntennaClient, 'tasks' | 'results'>;
  readonly downloader: Pick<Downloader, 'download'>;
  readonly jobId: number;
  /** Images at most, each counted once. */
  readonly images: number;
  /** Tasks that are asked for at once. */
  readonly batchSize: number;
  /** Downloads side by side. */
  readonly downloads: number;
  /** Slug that results name. */
  readonly pipeline: string;
  /**
   * Post a result for each task, which ends it: an image without insects. Errors would be more honest, and end the job when they are more
   * than half.
   */
  readonly acknowledge: boolean;
  /** From then on nothing is taken or downloaded. */
  readonly stop: AbortSignal;
}

/** Why it ended: enough images, told to, the job had nothing more, or all that it had were tasks seen before. */
export type DataPathEnd = 'images' | 'stopped' | 'empty' | 'repeats';

/** What was measured. Images are distinct ones; the others of these numbers are of them alone. */
export interface DataPathFigures {
  readonly ended: DataPathEnd;
  readonly durationMs: number;
  /** Images that were downloaded. */
  readonly images: number;
  readonly imageBytes: number;
  /** Images whose download failed, and the reasons with how often. */
  readonly failed: number;
  readonly reasons: Readonly<Record<string, number>>;
  /** Tasks that came again. */
  readonly repeats: number;
  /** Results that were built, and those of them that the server took. */
  readonly results: number;
  readonly posted: number;
  readonly posts: number;
  readonly reserve: LatencySummary;
  readonly download: LatencySummary;
  readonly post: LatencySummary;
}

/** Batches that are under way at once: while one waits for the queue, others download. */
const LANES = 4;
/** How long a job must have given nothing to be taken for empty: a single empty answer means nothing. */
const QUIET_MS = 2_000;
const EMPTY_WAIT_MS = 500;

/** The way of the data without a model: reserve, download, build results and, if told to, post them. */
export function measureDataPath(options: DataPathOptions): Promise<DataPathFigures> {
  return new DataPath(options).run();
}

class DataPath {
  readonly #options: DataPathOptions;
  readonly #seen = new Set<string>();
  readonly #times = {
    reserve: new LatencyHistogram(),
    download: new LatencyHistogram(),
    post: new LatencyHistogram(),
  };
  readonly #reasons: Record<string, number> = {};
  readonly #counts = { images: 0, imageBytes: 0, failed: 0, repeats: 0, results: 0, posted: 0, posts: 0 };
  /** Images that are asked for or in hand: never more tasks are taken than are wanted. */
  #claimed = 0;
  /** When a task came last. */
  #fedAt = performance.now();
  #ended: DataPathEnd | undefined;

  constructor(options: DataPathOptions) {
    this.#options = options;
  }

  async run(): Promise<DataPathFigures> {
    const startedAt = performance.now();
    const lanes = await Promise.allSettled(Array.from({ length: LANES }, () => this.#lane()));
    const durationMs = performance.now() - startedAt;
    for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason;
    const { reserve, download, post } = this.#times;
    // The lanes were through with asking when the time cut their last downloads off.
    if (this.#counts.images + this.#counts.failed < this.#seen.size) this.#end('stopped');
    return {
      ...{ ended: this.#ended ?? 'images', durationMs, ...this.#counts, reasons: this.#reasons },
      ...{ reserve: reserve.summary(), download: download.summary(), post: post.summary() },
    };
  }

  async #lane(): Promise<void> {
    const { batchSize, images, stop } = this.#options;
    try {
      while (this.#ended === undefined) {
        if (stop.aborted) {
          this.#end('stopped');
          return;
        }
        const wanted = Math.min(batchSize, images - this.#claimed);
        if (wanted <= 0) return;
        await this.#batch(wanted);
      }
    } catch (error) {
      // What failed for one lane fails for all; those in hand are still finished.
      this.#end('stopped');
      throw error;
    }
  }

  async #batch(wanted: number): Promise<void> {
    const { client, jobId, acknowledge, stop } = this.#options;
    this.#claimed += wanted;
    const startedAt = performance.now();
    const tasks = await client.tasks.reserve(jobId, { batchSize: wanted });
    this.#times.reserve.record(performance.now() - startedAt);
    const fresh = tasks.filter(({ image_id }) => !this.#seen.has(image_id) && this.#seen.add(image_id));
    this.#claimed -= wanted - fresh.length;
    this.#counts.repeats += tasks.length - fresh.length;
    if (tasks.length > 0) this.#fedAt = performance.now();
    else if (performance.now() - this.#fedAt > QUIET_MS) this.#end('empty');
    else await delay(EMPTY_WAIT_MS, undefined, { signal: stop }).catch(() => undefined);
    // Asked on, the queue would give out the same ones for ever, and each time costs one of their deliveries.
    if (tasks.length > 0 && fresh.length === 0) this.#end('repeats');
    const errors = await this.#download(fresh);
    const answered = tasks.filter(({ image_id }) => errors.get(image_id) !== 'left');
    const results = answered.map((task) => this.#result(task, errors.get(task.image_id)));
    this.#counts.results += results.length;
    if (acknowledge && results.length > 0) await this.#post(results);
  }

  #result({ image_id, image_url, reply_subject }: Task, error: string | undefined): EncodedResult {
    const { pipeline } = this.#options;
    const found = {
      pipeline,
      total_time: 0,
      source_images: [{ id: image_id, url: image_url }],
      detections: [],
    };
    return encodeResult({ reply_subject, result: error === undefined ? found : { error, image_id } });
  }

  /** @returns what went wrong by image; `left` for those that the end cut off. */
  async #download(tasks: readonly Task[]): Promise<ReadonlyMap<string, string>> {
    const queue = [...tasks];
    const errors = new Map<string, string>();
    const { downloads } = this.#options;
    const width = Math.max(1, Math.ceil(downloads / LANES));
    await Promise.all(
      Array.from({ length: width }, async () => {
        for (let task = queue.shift(); task; task = queue.shift()) {
          const problem = await this.#one(task);
          if (problem !== undefined) errors.set(task.image_id, problem);
        }
      }),
    );
    return errors;
  }

  async #one(task: Task): Promise<string | undefined> {
    const { downloader, stop } = this.#options;
    const startedAt = performance.now();
    try {
      stop.throwIfAborted();
      const { bytes } = await downloader.download(task, stop);
      this.#times.download.record(performance.now() - startedAt);
      this.#counts.images += 1;
      this.#counts.imageBytes += bytes.length;
      return undefined;
    } catch (error) {
      if (stop.aborted) return 'left';
      this.#counts.failed += 1;
      const reason = error instanceof Error ? error.message : String(error);
      this.#reasons[reason] = (this.#reasons[reason] ?? 0) + 1;
      return reason;
    }
  }

  async #post(results: readonly EncodedResult[]): Promise<void> {
    const { client, jobId } = this.#options;
    const startedAt = performance.now();
    const { results_queued } = await client.results.submit(jobId, results);
    this.#times.post.record(performance.now() - startedAt);
    this.#counts.posts += 1;
    this.#counts.posted += results_queued;
  }

  #end(why: DataPathEnd): void {
    this.#ended ??= why;
  }
}
