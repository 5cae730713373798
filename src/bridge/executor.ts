import { checkRun } from '../worker/executors/call-arguments.js';
import type { Clock } from '../time/clock.js';
import {
  abortReason,
  HandlerAbortError,
  deferred,
  type Deferred,
} from '../worker/executors/joined-signal.js';
import type { BatchContext, BatchOutcome, Executor, ExecutorStats } from '../worker/executors/executor.js';
import { HandlerCrashError, HandlerTimeoutError } from '../worker/executors/execution-errors.js';
import { OutOfMemoryTaskError } from '../worker/handler/task-errors.js';
import type { TaskImage } from '../worker/handler/handler.js';
import type { BridgeCall } from './call.js';
import { narrow } from './narrow.js';
import { pictureSize } from './picture-size.js';

/** An image that waits for its call. */
interface Entry {
  readonly image: TaskImage;
  readonly context: BatchContext;
  readonly outcome: Deferred<BatchOutcome>;
  /** What may stand in one request: the same configuration. */
  readonly configKey: string;
  settled: boolean;
}

/**
 * Runs one pipeline of a push service. Images of batches that are given side by side are put together: while a call is out the next ones
 * wait, and go in one call that pays the fixed price once.
 */
export class PushExecutor implements Executor {
  readonly kind = 'service';
  readonly endsEveryCall = true;
  readonly #call: BridgeCall;
  readonly #clock: Clock;
  readonly #entries: Entry[] = [];
  #running: Entry[] = [];
  #pumping = false;
  #acquired = false;
  #closed = false;
  #crashes = 0;
  #consecutive = 0;
  #timeouts = 0;

  constructor(call: BridgeCall, clock: Clock) {
    this.#call = call;
    this.#clock = clock;
  }

  /** Only makes sure that the service is there or waited for: no task is taken before it is. */
  async warmUp(): Promise<undefined> {
    this.#acquire();
    return undefined;
  }

  unavailable(): string | undefined {
    return this.#call.link.unavailable(this.#call.slug);
  }

  async run(batch: readonly TaskImage[], context: BatchContext): Promise<readonly BatchOutcome[]> {
    checkRun(batch, context);
    this.#acquire();
    const configKey = JSON.stringify(context.config);
    const entries = batch.map((image) => ({
      image,
      context,
      outcome: deferred<BatchOutcome>(),
      configKey,
      settled: false,
    }));
    const onAbort = (): void => {
      for (const entry of entries) settle(entry, { ok: false, error: abortReason(context.signal) });
    };
    if (this.#closed) for (const entry of entries) settle(entry, shutDown());
    else if (context.signal.aborted) onAbort();
    else context.signal.addEventListener('abort', onAbort, { once: true });
    this.#entries.push(...entries);
    if (!this.#pumping) void this.#work();
    try {
      return await Promise.all(entries.map(({ outcome }) => outcome.promise));
    } finally {
      context.signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const entry of [...this.#entries, ...this.#running]) settle(entry, shutDown());
    if (this.#acquired) await this.#call.link.release();
  }

  stats(): ExecutorStats {
    return {
      kind: this.kind,
      busy: this.#running.length > 0 ? 1 : 0,
      crashes: this.#crashes,
      consecutiveCrashes: this.#consecutive,
      timeouts: this.#timeouts,
      recycles: 0,
    };
  }

  #acquire(): void {
    if (this.#acquired || this.#closed) return;
    this.#acquired = true;
    this.#call.link.acquire();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#pumping = true;
    // What came in the same turn goes in the same call.
    await Promise.resolve();
    while (this.#entries.length > 0) await this.#call.link.connection.exclusive(() => this.#turn());
    this.#pumping = false;
  }

  async #turn(): Promise<void> {
    const unit = await this.#take();
    if (unit.length === 0) return;
    this.#running = unit;
    try {
      const outcomes = await narrow(unit, {
        call: (part) => this.#attempt(part),
        sizesOf: bySize,
        onMixedSizes: () => {
          this.#call.policy.failedOnMixedSizes();
        },
      });
      unit.forEach((entry, index) => {
        settle(entry, outcomes[index] ?? { ok: false, error: undefined });
      });
    } catch (error) {
      for (const entry of unit) settle(entry, { ok: false, error });
    } finally {
      this.#running = [];
    }
  }

  /** The images of the next call, oldest first: of one configuration, no id twice, as many as are worth it. */
  async #take(): Promise<Entry[]> {
    const { policy } = this.#call;
    const waiting = this.#entries.filter(({ settled }) => !settled);
    const [first] = waiting;
    this.#entries.splice(0, this.#entries.length, ...waiting);
    if (!first) return [];
    const count = policy.next(Math.min(...waiting.map(({ context }) => context.deadline.remainingMs())));
    const size = policy.groupBySize ? await pictureSize(first.image.bytes) : undefined;
    const unit: Entry[] = [];
    const ids = new Set<string>();
    for (const entry of waiting) {
      if (unit.length >= count) break;
      // Services tell images apart by their ids, and two jobs may hold the same one.
      if (entry.configKey !== first.configKey || ids.has(entry.image.id)) continue;
      // The answer to a request with boxes says nothing of the images that have none.
      if (entry !== first && (this.#call.hasBoxes(entry.image) || this.#call.hasBoxes(first.image))) continue;
      if (policy.groupBySize && (await pictureSize(entry.image.bytes)) !== size) continue;
      ids.add(entry.image.id);
      unit.push(entry);
    }
    for (const entry of unit) this.#entries.splice(this.#entries.indexOf(entry), 1);
    return unit;
  }

  /** @throws when the call failed as a whole. */
  async #attempt(part: readonly Entry[]): Promise<readonly BatchOutcome[]> {
    const unit = part.filter(({ settled }) => !settled);
    const [first] = unit;
    if (!first) return part.map(() => shutDown());
    const images = unit.map(({ image }) => image);
    const tell = (error: unknown): void => {
      for (const onAttempt of new Set(unit.map(({ context }) => context.onAttempt)))
        onAttempt?.({ images, error });
    };
    const over = new AbortController();
    const watch = (): void => {
      if (unit.every(({ settled }) => settled)) over.abort(new HandlerAbortError('shutdown'));
    };
    for (const entry of unit) void entry.outcome.promise.then(watch);
    const startedAt = this.#clock.now();
    try {
      const outcomes = await this.#call.post(images, first.context, over.signal);
      const { link, policy } = this.#call;
      // The first call loads models that the others find loaded.
      if (link.calls > 0) policy.measured({ images: unit.length, durationMs: this.#clock.now() - startedAt });
      link.proved();
      this.#consecutive = 0;
      tell(undefined);
      return part.map((entry) => outcomes.get(entry.image.id) ?? shutDown());
    } catch (error) {
      if (over.signal.aborted) throw over.signal.reason;
      this.#failed(error, unit.length);
      tell(error);
      throw error;
    }
  }

  #failed(error: unknown, images: number): void {
    this.#consecutive += 1;
    if (error instanceof HandlerCrashError) this.#crashes += 1;
    if (error instanceof HandlerTimeoutError) this.#timeouts += 1;
    if (error instanceof OutOfMemoryTaskError) this.#call.policy.tooLarge(images);
  }
}

function settle(entry: Entry, outcome: BatchOutcome): void {
  entry.settled = true;
  entry.outcome.resolve(outcome);
}

const shutDown = (): BatchOutcome => ({ ok: false, error: new HandlerAbortError('shutdown') });

/** Groups by picture size; those whose size cannot be read are one group. */
async function bySize(unit: readonly Entry[]): Promise<readonly (readonly Entry[])[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of unit) {
    const size = (await pictureSize(entry.image.bytes)) ?? 'unknown';
    groups.set(size, [...(groups.get(size) ?? []), entry]);
  }
  return [...groups.values()];
}
