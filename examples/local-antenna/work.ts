import { setTimeout as delay } from 'node:timers/promises';
import { AntennaWorker, definePipeline, type AntennaClient, type WorkerPipeline } from 'antenna-sdk';
import type { LocalAntenna } from './antenna.js';

/** What a worker's run came to. */
export interface WorkReport {
  readonly jobStatus: string;
  readonly processed: number;
  readonly failed: number;
  /** Requests that Antenna refused with 401. */
  readonly refused: number;
}

/** What happens while the worker works. */
export interface WorkOptions {
  /** How long an image takes. Default: no time. */
  readonly imageMs?: number;
  /** Done once, with image 10 of 40 in hand: an example's key ends here. */
  readonly midway?: () => void | Promise<void>;
}

export type Print = (line: string) => void;

const IMAGES = 40;
const MIDWAY = 10;

function pipelineOf(onImage: (count: number) => void | Promise<void>): WorkerPipeline {
  let count = 0;
  return definePipeline({
    name: 'Example moths',
    slug: 'example-moths',
    version: 1,
    algorithms: [{ key: 'example-boxes', name: 'Example boxes', task_type: 'detection' }],
    async process() {
      count += 1;
      await onImage(count);
      return { detections: [] };
    },
  });
}

/** What is registered of the examples' pipeline, which finds nothing. */
export const exampleConfig = pipelineOf(() => undefined).config;

/** A worker with this client on a job of 40 images, until none is left. */
export async function work(
  client: AntennaClient,
  { server, project }: LocalAntenna,
  print: Print,
  { imageMs = 0, midway = () => undefined }: WorkOptions = {},
): Promise<WorkReport> {
  const pipeline = pipelineOf(async (count) => {
    if (imageMs > 0) await delay(imageMs);
    if (count === MIDWAY) await midway();
  });
  const registered = project.pipelines.find(({ slug }) => slug === pipeline.slug);
  const job = project.job({ pipeline: registered ?? project.pipeline(exampleConfig), images: IMAGES });
  const worker = new AntennaWorker({
    client,
    projects: [project.id],
    pipelines: [pipeline],
    pollIntervalMs: 20,
    maxBatchSize: 4,
    // Stands for the image server.
    fetch: () => Promise.resolve(new Response(Buffer.from('the bytes of an image'))),
  });
  await worker.run({ until: 'drained' });
  server.settle();
  const { total, processed, failed } = job.counts;
  print(`job ${job.status}: ${processed} of ${total} images, ${failed} failed`);
  const refused = server.requests.filter(({ status }) => status === 401).length;
  return { jobStatus: job.status, processed, failed, refused };
}
