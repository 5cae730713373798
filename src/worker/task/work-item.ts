import type { TaskDetection } from '../../contract/task-detections.js';
import type { Task } from '../../contract/tasks.js';
import { deliveryNumber } from '../policy/delivery.js';
import type { Downloaded } from '../images/image-check.js';
import type { Instant } from '../policy/lease/lease.js';
import type { Pipeline } from '../executors/pipeline.js';
import type { TaskConfig } from '../handler/task-config.js';
import { originOf } from '../policy/shares/origins.js';

/** Where a held task is. */
export type ItemStage = 'queued' | 'downloading' | 'ready' | 'processing' | 'outbox' | 'settled';

/** The name by which a task is recognised when it is delivered again. */
export function taskKey(jobId: number, taskId: string): string {
  return `${jobId}:${taskId}`;
}

/** Bytes of images in memory. */
export interface ImageMemory {
  bytes: number;
}

/** One task in hand, from the answer that brought it to the post that delivers its outcome. */
export class WorkItem {
  readonly key: string;
  readonly jobId: number;
  readonly pipeline: Pipeline;
  readonly task: Task;
  /** Undefined until it has been read. */
  config: TaskConfig | undefined;
  /** Boxes to classify again. */
  detections: readonly TaskDetection[] = [];
  /** Host of its image. */
  readonly origin: string;
  stage: ItemStage = 'queued';
  /** When work on it began, on the monotonic clock. */
  startedAtMs: number | undefined;
  /** When its image was in memory, on the monotonic clock. */
  readyAtMs: number | undefined;
  /** When the handler was done with it, on the monotonic clock. */
  computedAtMs: number | undefined;
  #image: Downloaded | undefined;
  #imageBytes = 0;
  /** Those that count the bytes of its image. */
  #memories: readonly ImageMemory[] = [];
  #replySubject: string;
  #leasedAt: Instant;
  #delivery: number | undefined;

  constructor(task: Task, job: { readonly id: number; readonly pipeline: Pipeline }, leasedAt: Instant) {
    this.key = taskKey(job.id, task.id);
    this.jobId = job.id;
    this.pipeline = job.pipeline;
    this.task = task;
    this.origin = originOf(task.image_url);
    this.#leasedAt = leasedAt;
    this.#replySubject = task.reply_subject;
    this.#delivery = deliveryNumber(task.reply_subject);
  }

  /** Undefined before it is downloaded, and when it is of no more use. */
  get image(): Downloaded | undefined {
    return this.#image;
  }

  set image(image: Downloaded | undefined) {
    // Remembered: the bytes may be given away to a thread, and are then empty here.
    const before = this.#imageBytes;
    this.#image = image;
    this.#imageBytes = image?.bytes.length ?? 0;
    for (const memory of this.#memories) memory.bytes += this.#imageBytes - before;
  }

  /** Its image will count there. The setter counts, so that no path can forget to. */
  countIn(memories: readonly ImageMemory[]): void {
    this.#memories = memories;
  }

  /** Subject of the newest delivery. */
  get replySubject(): string {
    return this.#replySubject;
  }

  /** When the request that brought the newest delivery was sent. */
  get leasedAt(): Instant {
    return this.#leasedAt;
  }

  /** Number of the newest delivery, if it could be read. */
  get delivery(): number | undefined {
    return this.#delivery;
  }

  /** The task was delivered again while we hold it: one work item goes on, under the newer lease. */
  redelivered(replySubject: string, leasedAt: Instant): void {
    this.#replySubject = replySubject;
    this.#leasedAt = leasedAt;
    this.#delivery = deliveryNumber(replySubject);
  }
}
