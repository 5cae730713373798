import { assertKind, assertOptions } from '../check.js';
import type { Antenna } from '../antenna.js';
import type { JobLedger } from '../jobs/ledger.js';
import { cancelJob, discardQueue, enqueueJob, retryJob, startJob } from '../jobs/lifecycle.js';
import type { JobStatus, Progress } from '../jobs/progress.js';
import { readParam } from '../jobs/progress.js';
import type { ResultReceipt } from '../jobs/receipts.js';
import type { QueueCounts } from '../queue/task-queue.js';
import { addJob } from '../state/jobs.js';
import { insertCaptures } from '../state/new-rows.js';
import type { DispatchMode, JobRow, ProjectRow, SavedDetection } from '../state/rows.js';

/** An image of a job: its URL (null imitates one the server cannot make a URL for), and an id if it matters. */
export interface ImageOptions {
  readonly id?: number;
  readonly url: string | null;
}

/** A job to make. */
export interface JobOptions {
  readonly id?: number;
  /** Default `job <id>`. */
  readonly name?: string;
  readonly pipeline: { readonly id: number } | null;
  /** URLs, images, or a number of images whose URLs do not matter. Left out: all images of the project. */
  readonly images?: readonly (string | ImageOptions)[] | number;
  /** Station the job belongs to. Default: the project's first. */
  readonly deploymentId?: number;
  /** Take at most this many of the images. */
  readonly limit?: number | null;
  /** Default false, so that tests know the order; the real server's default is true. */
  readonly shuffle?: boolean;
  /** Seconds before it starts; adds a `delay` stage. */
  readonly delaySeconds?: number;
  /** Default: what the project's `asyncPipelineWorkers` flag makes it. */
  readonly dispatchMode?: DispatchMode;
  /** A job about one capture, whose tasks every member may take (contract §3). */
  readonly singleImage?: boolean;
  /** Start it at once, with its queue filled. Default true; false leaves it CREATED. */
  readonly start?: boolean;
}

/** Numbers of a job's progress, for assertions. */
export interface JobCounts {
  readonly total: number;
  readonly processed: number;
  readonly failed: number;
  readonly captures: number;
  readonly detections: number;
  readonly classifications: number;
}

/** A job: what a test looks at to see whether a worker did right. */
export class JobHandle {
  readonly #antenna: Antenna;
  readonly #row: JobRow;

  constructor(antenna: Antenna, row: JobRow) {
    this.#antenna = antenna;
    this.#row = row;
  }

  get id(): number {
    return this.#row.id;
  }

  get name(): string {
    return this.#row.name;
  }

  get projectId(): number {
    return this.#row.projectId;
  }

  /** Slug of its pipeline; null for a job without one. */
  get pipelineSlug(): string | null {
    const { pipelineId } = this.#row;
    return (pipelineId === null ? undefined : this.#antenna.store.pipelines.get(pipelineId))?.slug ?? null;
  }

  get status(): JobStatus {
    return this.#row.status;
  }

  /** Progress as the API shows it; a copy. */
  get progress(): Progress {
    return structuredClone(this.#row.progress);
  }

  /** The numbers inside {@link progress}. */
  get counts(): JobCounts {
    const { progress } = this.#row;
    const read = (stage: string, param: string): number => readParam(progress, stage, param);
    return {
      total: read('collect', 'total_images'),
      processed: read('process', 'processed'),
      failed: read('process', 'failed'),
      captures: read('results', 'captures'),
      detections: read('results', 'detections'),
      classifications: read('results', 'classifications'),
    };
  }

  /** Results accepted with 200, oldest first, and what became of each. */
  get results(): readonly ResultReceipt[] {
    return this.#row.receipts.toArray();
  }

  /** Every delivery, acknowledgement and counted outcome. */
  get ledger(): JobLedger {
    return this.#row.ledger;
  }

  /** State of the queue; null when the job has none: not started, over, or cancelled. */
  get queue(): QueueCounts | null {
    return this.#row.queue?.counts() ?? null;
  }

  /** Ids of the images it was made with, in their order; empty for a job over a whole station. */
  get imageIds(): readonly string[] {
    return (this.#row.captureIds ?? []).map(String);
  }

  /** Ids of images whose outcome has not been counted. */
  get pendingImageIds(): readonly string[] {
    return [...(this.#row.counters?.pendingResults ?? [])];
  }

  /** The job's log, oldest line first. */
  get logs(): readonly string[] {
    return this.#row.logs.toArray();
  }

  /** Address of an image; null when it has none. */
  imageUrl(imageId: string | number): string | null {
    return this.#antenna.store.captures.get(Number(imageId))?.url ?? null;
  }

  /** What is stored for an image, by any job. */
  detections(imageId: string | number): readonly SavedDetection[] {
    return this.#antenna.store.captures.get(Number(imageId))?.detections ?? [];
  }

  /** Enqueues a job made with `start: false`, as `POST jobs/{id}/run/` does. */
  start(): this {
    enqueueJob(this.#antenna, this.#row);
    this.#antenna.background.runDue();
    return this;
  }

  cancel(): this {
    cancelJob(this.#antenna, this.#row);
    this.#antenna.background.runDue();
    return this;
  }

  retry(): this {
    retryJob(this.#antenna, this.#row);
    this.#antenna.background.runDue();
    return this;
  }

  delete(): void {
    this.#row.deleted = true;
    discardQueue(this.#row);
    this.#antenna.store.jobs.delete(this.#row.id);
  }

  /** Lets the visibility timeout of every task in flight pass now: a redelivery storm. */
  expireLeases(): this {
    this.#row.queue?.expireNow();
    return this;
  }

  /** Sets the status alone, to imitate a state that is hard to reach; nothing else follows. */
  forceStatus(status: JobStatus): this {
    assertKind('status', status, 'string');
    this.#row.status = status;
    return this;
  }
}

export function addJobTo(antenna: Antenna, project: ProjectRow, options: JobOptions): JobHandle {
  assertOptions(
    'job',
    options,
    {
      ...{ id: ['number'], name: ['string'], pipeline: ['object', 'null'], images: ['array', 'number'] },
      ...{
        deploymentId: ['number'],
        limit: ['number', 'null'],
        shuffle: ['boolean'],
        delaySeconds: ['number'],
      },
      ...{ dispatchMode: ['string'], singleImage: ['boolean'], start: ['boolean'] },
    },
    { required: ['pipeline'] },
  );
  const { store } = antenna;
  const deploymentId = options.deploymentId ?? firstDeployment(antenna, project);
  const captureIds =
    options.images === undefined
      ? null
      : insertCaptures(store, { projectId: project.id, deploymentId }, options.images);
  const pipelineId = options.pipeline?.id ?? null;
  const id = store.jobs.takeId(options.id);
  const row = addJob(antenna, {
    id,
    name: options.name ?? `job ${id}`,
    project,
    pipelineId,
    deploymentId,
    captureIds,
    singleCaptureId: options.singleImage ? (captureIds?.[0] ?? null) : null,
    dispatchMode: options.dispatchMode ?? modeOf(project, pipelineId),
    limit: options.limit ?? null,
    shuffle: options.shuffle ?? false,
    delaySeconds: options.delaySeconds ?? 0,
  });
  if (options.start ?? true) {
    row.status = 'PENDING';
    startJob(antenna, row);
  }
  return new JobHandle(antenna, row);
}

function modeOf(project: ProjectRow, pipelineId: number | null): DispatchMode {
  if (pipelineId === null) return 'internal';
  return project.asyncPipelineWorkers ? 'async_api' : 'sync_api';
}

function firstDeployment(antenna: Antenna, project: ProjectRow): number {
  const { deployments } = antenna.store;
  const known = deployments.find((deployment) => deployment.projectId === project.id);
  return (
    known ??
    deployments.add({ id: deployments.takeId(), name: `Station ${project.name}`, projectId: project.id })
  ).id;
}
