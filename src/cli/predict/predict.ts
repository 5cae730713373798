import type { Logger, WorkerEvents, WorkerPipeline } from '../../index.js';
import type { JobHandle } from '../../testing/serving.js';
import type { LocalImage } from '../local-images.js';

/** What a pipeline said of one image. */
export interface Prediction {
  readonly image: string;
  readonly pipeline: string;
  readonly ok: boolean;
  /** From the start of the image's turn; undefined when it had none. */
  readonly durationMs: number | undefined;
  readonly detections: readonly PredictedDetection[];
  readonly error?: string;
}

/** A box, with the classification that counts and all there are. */
interface PredictedDetection {
  readonly bbox: { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number };
  readonly algorithm: string;
  readonly label: string | undefined;
  readonly score: number | undefined;
  readonly classifications: readonly {
    readonly label: string;
    readonly score: number;
    readonly algorithm: string;
    readonly terminal: boolean;
  }[];
}

/** What is to be looked at, and by what. */
export interface PredictOptions {
  readonly images: readonly LocalImage[];
  readonly pipelines: readonly WorkerPipeline[];
  readonly concurrency: number | undefined;
  readonly logger: Logger;
  /** Called once for each image and pipeline, as they are done. */
  readonly onPrediction: (prediction: Prediction, image: LocalImage) => void;
}

/** Longer than any model takes: nobody else waits for these tasks. */
const LEASE_MS = 7 * 86_400_000;

/**
 * Does what a worker does, with an Antenna in memory that has a job of the images for each pipeline: so what is predicted here is what a server
 * would be sent, checks included.
 */
export async function predict({ images, pipelines, ...options }: PredictOptions): Promise<void> {
  const { AntennaClient, AntennaWorker } = await import('../../index.js');
  const { ContractServerCore, ImageHostCore } = await import('../../testing/serving.js');
  const server = new ContractServerCore({
    dialect: 'api-key',
    visibilityTimeoutMs: LEASE_MS,
    maxDeliveries: 1,
    maxOutstanding: 1_000,
    emptyWaitMs: 20,
  });
  const host = new ImageHostCore();
  // An executor that gets addresses, and not bytes, fetches them itself.
  if (pipelines.some((pipeline) => pipeline.images === 'url')) await host.listen();
  const urls = images.map(({ path }, at) => {
    host.addFile(path, `/${at}`);
    return host.url(`/${at}`);
  });
  const project = server.project();
  const jobs = new Map(
    pipelines.map((pipeline) => {
      const job = project.job({ pipeline: project.pipeline(pipeline.config), images: urls });
      return [job.id, { job, pipeline, left: new Map(job.imageIds.map((id, at) => [id, images[at]])) }];
    }),
  );
  const client = new AntennaClient({
    baseUrl: server.baseUrl,
    apiKey: project.service().key().value,
    fetch: server.fetch,
    logger: options.logger,
  });
  const worker = new AntennaWorker({
    ...{ client, pipelines, projects: [project.id], jobs: [...jobs.keys()], register: false },
    ...{ leaseMs: LEASE_MS, maxDeliveries: 1, lingerMs: 50, pollIntervalMs: 100 },
    concurrency: options.concurrency,
    fetch: host.fetch,
  });
  const tasks = new Map<string, WorkerEvents['task']>();
  worker.on('task', (task) => tasks.set(`${task.jobId}/${task.imageId}`, task));
  const tell = (jobId: number, imageId: string): void => {
    const known = jobs.get(jobId);
    const image = known?.left.get(imageId);
    if (known === undefined || image === undefined || !known.left.delete(imageId)) return;
    const task = tasks.get(`${jobId}/${imageId}`);
    tasks.delete(`${jobId}/${imageId}`);
    options.onPrediction(predictionOf(known.job, known.pipeline.slug, image.name, imageId, task), image);
  };
  worker.on('posted', ({ jobId, imageIds }) => {
    server.settle();
    for (const imageId of imageIds) tell(jobId, imageId);
  });
  try {
    await worker.run({ until: 'drained', handleSignals: true });
    for (const [id, { left }] of jobs) for (const imageId of [...left.keys()]) tell(id, imageId);
  } finally {
    await client.close();
    await server.close();
    await host.close();
  }
}

function predictionOf(
  job: JobHandle,
  pipeline: string,
  image: string,
  imageId: string,
  task: WorkerEvents['task'] | undefined,
): Prediction {
  const base = { image, pipeline, durationMs: task && Math.round(task.durationMs) };
  if (task?.outcome !== 'success')
    return { ...base, ok: false, detections: [], error: task?.error ?? 'it was not looked at' };
  const detections = job.detections(imageId).flatMap(({ bbox, algorithm, classifications }) => {
    if (bbox === null) return [];
    const all = classifications.map(({ taxon, ...rest }) => ({ label: taxon, ...rest }));
    const counted = all.findLast(({ terminal }) => terminal) ?? all.at(-1);
    return [{ bbox, algorithm, label: counted?.label, score: counted?.score, classifications: all }];
  });
  return { ...base, ok: true, detections };
}
