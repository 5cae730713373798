import { AntennaClient, type Secret, type WorkerPipeline } from 'antenna-sdk';
import { createContractServer, type JobHandle } from 'antenna-sdk/testing';
import { serveImages, type ImageSet } from './image-host.js';

/** Everything the demo needs, provisioned the way a real deployment would be. */
export interface DemoServer {
  readonly url: string;
  readonly projectId: number;
  readonly apiKey: Secret;
  readonly job: JobHandle;
  /** File name of the image with this id. */
  imageName(imageId: string): string;
  close(): Promise<void>;
}

const EMAIL = 'demo@example.org';
const PASSWORD = 'a password for the demo only';

/**
 * Starts an in-memory Antenna and an image host, then does over HTTP what an operator does with a real server: log in, create
 * the service and its key, register the pipeline, create and start a job.
 */
export async function startDemoServer(images: ImageSet, pipeline: WorkerPipeline): Promise<DemoServer> {
  const host = await serveImages(images);
  const server = createContractServer({ dialect: 'api-key' });
  const { url } = await server.listen();
  const owner = server.user({ email: EMAIL, password: PASSWORD, superuser: true });
  const project = server.project({ name: 'Demo night', owner });
  const ids = new Map<string, string>();
  const captures = [...images.keys()].map((name, index) => {
    ids.set(String(index + 1), name);
    return { id: index + 1, url: `${host.origin}/${encodeURIComponent(name)}` };
  });
  const deploymentId = project.deployment({ name: 'Light trap', images: captures });

  const anonymous = new AntennaClient({ baseUrl: url });
  const { auth_token } = await anonymous.auth.login({ email: EMAIL, password: PASSWORD });
  const operator = new AntennaClient({ baseUrl: url, token: auth_token });
  const service = await operator.processingServices.create(project.id, { name: 'demo-worker' });
  const { api_key } = await operator.processingServices.generateKey(project.id, service.id);
  const jobId = await createJob(url, api_key, operator, {
    projectId: project.id,
    deploymentId,
    config: pipeline.config,
  });
  await Promise.all([anonymous.close(), operator.close()]);
  const job = server.job(jobId);
  if (job === undefined) throw new Error(`The contract server lost job ${jobId}`);

  return {
    url,
    projectId: project.id,
    apiKey: api_key,
    job,
    imageName: (imageId) => ids.get(imageId) ?? imageId,
    close: async () => {
      await Promise.all([server.close(), host.close()]);
    },
  };
}

async function createJob(
  baseUrl: string,
  apiKey: Secret,
  operator: AntennaClient,
  where: { projectId: number; deploymentId: number; config: WorkerPipeline['config'] },
): Promise<number> {
  const service = new AntennaClient({ baseUrl, apiKey });
  const report = await service.pipelines.register(where.projectId, [where.config]);
  await service.close();
  const [pipeline] = report.pipelines;
  if (!report.ok || pipeline === undefined) {
    throw new Error(`Registration failed: ${report.deviations.map(({ message }) => message).join('; ')}`);
  }
  const job = await operator.jobs.create(
    {
      name: 'Insects of the night',
      project_id: where.projectId,
      deployment_id: where.deploymentId,
      pipeline_id: pipeline.id,
      shuffle: false,
    },
    { start: true },
  );
  return job.id;
}
