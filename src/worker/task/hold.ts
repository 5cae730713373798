import { AntennaError } from '../../errors/base.js';
import type { Fate } from './outcome.js';
import type { ImageMemory, ItemStage, WorkItem } from './work-item.js';

const NONE: ReadonlySet<WorkItem> = new Set();

/** The tasks in hand of one job. */
interface JobTasks extends ImageMemory {
  readonly items: Set<WorkItem>;
}

/**
 * The tasks in hand: reserved, and not yet settled. Capacity is what is missing in this set. A counter beside it would leak a slot
 * with every path that forgets to count down; two of the runtimes that were studied wedged that way.
 */
export class Hold {
  readonly #items = new Map<string, WorkItem>();
  /** The same, by job. */
  readonly #jobs = new Map<number, JobTasks>();
  /** Asked before every download. */
  readonly #memory: ImageMemory = { bytes: 0 };
  readonly #onSettled: (item: WorkItem, fate: Fate) => void;

  constructor(onSettled: (item: WorkItem, fate: Fate) => void) {
    this.#onSettled = onSettled;
  }

  get size(): number {
    return this.#items.size;
  }

  get(key: string): WorkItem | undefined {
    return this.#items.get(key);
  }

  /** @throws AntennaError when the task is in hand already. */
  add(item: WorkItem): void {
    if (this.#items.has(item.key))
      throw new AntennaError({ code: 'task_held', message: `Task ${item.key} is already in hand` });
    this.#items.set(item.key, item);
    let job = this.#jobs.get(item.jobId);
    if (!job) this.#jobs.set(item.jobId, (job = { items: new Set(), bytes: 0 }));
    job.items.add(item);
    item.countIn([this.#memory, job]);
  }

  /** The one way out. A second call for the same task does nothing: the first decided. */
  settle(item: WorkItem, fate: Fate): void {
    if (this.#items.get(item.key) !== item) return;
    this.#items.delete(item.key);
    item.stage = 'settled';
    item.image = undefined;
    item.countIn([]);
    const job = this.#jobs.get(item.jobId);
    job?.items.delete(item);
    if (job?.items.size === 0) this.#jobs.delete(item.jobId);
    this.#onSettled(item, fate);
  }

  [Symbol.iterator](): IterableIterator<WorkItem> {
    return this.#items.values();
  }

  /** How many tasks are at each stage. */
  byStage(): Readonly<Record<ItemStage, number>> {
    const counts = { queued: 0, downloading: 0, ready: 0, processing: 0, outbox: 0, settled: 0 };
    for (const { stage } of this.#items.values()) counts[stage] += 1;
    return counts;
  }

  /** Jobs with tasks in hand. */
  get jobs(): IterableIterator<number> {
    return this.#jobs.keys();
  }

  /** The tasks of one job. */
  of(jobId: number): ReadonlySet<WorkItem> {
    return this.#jobs.get(jobId)?.items ?? NONE;
  }

  /** Whether every task in hand is computed. */
  get isComputed(): boolean {
    for (const { stage } of this.#items.values()) if (stage !== 'outbox') return false;
    return true;
  }

  /** Whether every task of this job is computed: nothing more of it is coming. */
  isComputedOf(jobId: number): boolean {
    for (const { stage } of this.of(jobId)) if (stage !== 'outbox') return false;
    return true;
  }

  /** Images of one job in memory, in bytes. */
  imageBytesOf(jobId: number): number {
    return this.#jobs.get(jobId)?.bytes ?? 0;
  }

  /** Images in memory, in bytes. */
  imageBytes(): number {
    return this.#memory.bytes;
  }
}
