import type { Downloader } from '../download.js';
import { RetryableTaskError } from '../task-errors.js';
import { refOf, type RunContext } from '../runtime/context.js';
import { TaskSet } from '../runtime/task-set.js';
import type { WorkItem } from '../runtime/work-item.js';
import { pickNext } from './pick.js';
import { AdaptiveSlots } from './slots.js';
import { publishSpan } from './spans.js';

/** Where downloaded and failed tasks go. */
export interface DownloadSink {
  readonly downloaded: (item: WorkItem) => void;
  readonly failed: (item: WorkItem, error: unknown) => void;
}

/** Brings images into memory, several at a time, within a budget of bytes. */
export class DownloadStage {
  readonly #context: RunContext;
  readonly #downloader: Downloader;
  readonly #sink: DownloadSink;
  readonly #slots: AdaptiveSlots;
  readonly #tasks: TaskSet;
  readonly #queue: WorkItem[] = [];
  #running = 0;

  constructor(context: RunContext, downloader: Downloader, sink: DownloadSink) {
    this.#context = context;
    this.#downloader = downloader;
    this.#sink = sink;
    this.#slots = new AdaptiveSlots(context.options.downloadConcurrency);
    this.#tasks = new TaskSet((error) => {
      context.note(error, 'downloading an image');
    });
  }

  /** Downloads that run or wait. */
  get load(): number {
    return this.#running + this.#queue.length;
  }

  offer(items: readonly WorkItem[]): void {
    this.#queue.push(...items);
    this.pump();
  }

  /** Starts as many downloads as may run. Called whenever something changed; harmless otherwise. */
  pump(): void {
    while (this.#queue.length > 0 && this.#running < this.#slots.limit && this.#hasMemory()) {
      const item = pickNext(this.#queue, this.#context, ({ pipeline }) => this.#durationMs(pipeline.slug));
      if (!item) return;
      this.#running += 1;
      item.stage = 'downloading';
      this.#tasks.start(() => this.#download(item));
    }
  }

  idle(): Promise<void> {
    return this.#tasks.idle();
  }

  async #download(item: WorkItem): Promise<void> {
    const { clock, bus, estimator, phases } = this.#context;
    const startedAt = clock.now();
    item.startedAtMs = startedAt;
    bus.emit('task_started', { ...refOf(item), slackMs: this.#context.leases.remainingMs(item) });
    let failure: { readonly error: unknown } | undefined;
    try {
      const image =
        item.pipeline.images === 'url'
          ? { bytes: Buffer.alloc(0), contentType: undefined }
          : await this.#downloader.download(item.task, phases.flush, {
              // A retry that ends after the lease is work for somebody else's task.
              remainingMs: () => this.#context.leases.remainingMs(item),
            });
      item.image = image;
      item.stage = 'ready';
      const durationMs = clock.now() - startedAt;
      estimator.download(durationMs, image.bytes.length, clock.now());
      this.#slots.succeeded(this.#running >= this.#slots.limit);
      bus.emit('downloaded', { ...refOf(item), bytes: image.bytes.length, durationMs });
      publishSpan('download', () => ({ ...refOf(item), durationMs }));
    } catch (error) {
      failure = { error };
      if (error instanceof RetryableTaskError) this.#slots.struggled();
    }
    this.#running -= 1;
    // Before the image goes on: its slot would stand empty for as long as the stages after this one take.
    this.pump();
    // A hung image server must not end a task that the worker gave up anyway.
    if (item.stage === 'settled') return;
    if (failure && phases.flush.aborted) this.#context.hold.settle(item, 'abandoned');
    else if (failure) this.#sink.failed(item, failure.error);
    else this.#sink.downloaded(item);
  }

  /** Room for one more image, or nothing in memory at all: an image larger than the budget must pass too. */
  #hasMemory(): boolean {
    const { hold, estimator, clock, options } = this.#context;
    const inMemory = hold.imageBytes();
    if (inMemory === 0 && this.#running === 0) return true;
    const expected = (this.#running + 1) * estimator.imageBytes(clock.now());
    return inMemory + expected <= options.imageBudgetBytes;
  }

  #durationMs(slug: string): number {
    const { estimator, clock } = this.#context;
    return estimator.downloadP95Ms(clock.now()) + estimator.callHighMs(slug, clock.now());
  }
}
