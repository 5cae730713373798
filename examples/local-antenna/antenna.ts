import { pathToFileURL } from 'node:url';
import { AntennaWorker, definePipeline, type AntennaClient, type WorkerPipeline } from 'antenna-sdk';
import {
  createContractServer,
  type ContractServer,
  type JobHandle,
  type KeyHandle,
  type ServiceHandle,
} from 'antenna-sdk/testing';

/** An Antenna on loopback with a project, a service and a job. */
export interface LocalAntenna {
  readonly server: ContractServer;
  readonly url: string;
  readonly projectId: number;
  readonly service: ServiceHandle;
  readonly key: KeyHandle;
  readonly job: JobHandle;
  close(): Promise<void>;
}

/** What a run of an example came to. */
export interface ExampleReport {
  readonly jobStatus: string;
  readonly processed: number;
  readonly failed: number;
  /** Requests of the worker that Antenna refused with 401. */
  readonly refused: number;
}

export type Print = (line: string) => void;

const SLUG = 'example-moths';
const ALGORITHM = { key: 'example-boxes', name: 'Example boxes', task_type: 'detection' } as const;

export async function startAntenna(images: number): Promise<LocalAntenna> {
  const server = createContractServer({ dialect: 'api-key', emptyWaitMs: 1 });
  const project = server.project({ name: 'Meadow' });
  const service = project.service({ name: 'example-worker' });
  const key = service.key();
  const pipeline = project.pipeline({ slug: SLUG, name: 'Example moths', algorithms: [ALGORITHM] });
  const job = project.job({ pipeline, images });
  const { url } = await server.listen();
  return { server, url, projectId: project.id, service, key, job, close: () => server.close() };
}

/** A pipeline that finds nothing; `onImage` is told how many images it has had. */
export function examplePipeline(onImage: (count: number) => void | Promise<void>): WorkerPipeline {
  let count = 0;
  return definePipeline({
    name: 'Example moths',
    slug: SLUG,
    version: 1,
    algorithms: [ALGORITHM],
    async process() {
      count += 1;
      await onImage(count);
      return { detections: [] };
    },
  });
}

/** A worker with that client, until the job has no image left. */
export async function drain(
  client: AntennaClient,
  { server, projectId, job }: Pick<LocalAntenna, 'server' | 'projectId' | 'job'>,
  pipeline: WorkerPipeline,
  print: Print,
): Promise<ExampleReport> {
  const worker = new AntennaWorker({
    client,
    projects: [projectId],
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

/** Runs an example if its file is what was started, and not if a test imports it. */
export async function runIfStarted(file: string, run: (print: Print) => Promise<unknown>): Promise<void> {
  if (file === pathToFileURL(process.argv[1] ?? '').href) await run(console.log);
}
