import {
  AntennaClient,
  AntennaWorker,
  pushService,
  silentLogger,
  type Dialect,
  type PushServiceOptions,
} from 'antenna-sdk';
import { createContractServer, type ContractServer, type JobHandle } from 'antenna-sdk/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FAKE_INFO } from '../support/push-service.js';
import { eventsOf, imageFetch, imageUrls, until } from '../support/worlds.js';
import { fakeService, HASTE } from './support.js';

/** A contract server with a project, and a worker whose pipelines are those of a fake service. */
async function world(dialect: Dialect, images: readonly string[], more: Partial<PushServiceOptions> = {}) {
  const server: ContractServer = createContractServer({ dialect, emptyWaitMs: 1 });
  onTestFinished(() => server.close());
  const project = server.project({ name: 'Meadow' });
  const service = project.service({ name: 'bridge' });
  const { url } = await server.listen();
  const client = new AntennaClient({
    baseUrl: url,
    ...(dialect === 'api-key'
      ? { apiKey: service.key().value }
      : { token: server.user({ superuser: true }).token }),
    logger: silentLogger,
    serviceName: 'bridge',
  });
  onTestFinished(() => client.close());
  const fake = await fakeService();
  const push = await pushService({ url: fake.url, ...HASTE, ...more });
  const worker = new AntennaWorker({
    client,
    projects: [project.id],
    pipelines: push.pipelines,
    pollIntervalMs: 5,
    fetch: imageFetch,
  });
  const report = await client.pipelines.register(
    project.id,
    push.pipelines.map(({ config }) => config),
  );
  const [pipeline] = report.pipelines;
  if (!pipeline) throw new Error('the pipeline was not registered');
  const job: JobHandle = project.job({ pipeline, images });
  return { server, fake, worker, job, push };
}

describe.each(['api-key', 'token'] as const)('a worker with a push service, %s dialect', (dialect) => {
  it('takes a job to SUCCESS with the boxes of the model', async () => {
    const images = imageUrls(20);
    const { worker, job, fake } = await world(dialect, images);
    const run = worker.run({ handleSignals: false });
    await until(() => job.status === 'SUCCESS');
    await worker.stop();
    await run;
    expect(job.counts).toMatchObject({ processed: 20, failed: 0, detections: 20, classifications: 20 });
    expect(fake.overlap).toBe(1);
    const boxes = job.imageIds.flatMap((id) => job.detections(id)).map(({ bbox }) => bbox);
    expect(boxes).toEqual(images.map((url) => ({ x1: 0, y1: 0, x2: `image ${url}`.length, y2: 1 })));
  });

  it('posts an error for an image that cannot be downloaded, which the service never sees', async () => {
    const images = [...imageUrls(3), 'https://images.invalid/404.jpg'];
    const { worker, job, fake } = await world(dialect, images);
    const run = worker.run({ handleSignals: false });
    await until(() => job.counts.processed === 4);
    await worker.stop();
    await run;
    expect(job.counts).toMatchObject({ processed: 4, failed: 1 });
    expect(fake.calls.flatMap(({ ids }) => ids)).toHaveLength(3);
  });

  it('downloads nothing for a service that does so itself', async () => {
    const host = await fakeService();
    const images = [1, 2, 3].map((n) => `${host.url}/livez?image=${n}&signature=secret`);
    const { worker, job, fake } = await world(dialect, images, { images: 'url' });
    const run = worker.run({ handleSignals: false });
    await until(() => job.status === 'SUCCESS');
    await worker.stop();
    await run;
    expect(job.counts).toMatchObject({ processed: 3, failed: 0 });
    expect(fake.calls.flatMap(({ urls }) => urls).sort()).toEqual(images);
    // Once each, by the service: `imageFetch`, which the worker has, never got there.
    expect(host.requests).toHaveLength(3);
  });

  it('registers again when the service came back with another description, and goes on', async () => {
    const { worker, job, fake } = await world(dialect, imageUrls(12));
    const registered = eventsOf(worker, 'registered');
    let calls = 0;
    fake.behaviour.override = (_, response) => {
      calls += 1;
      if (calls !== 3) return false;
      response.socket?.destroy();
      const info = structuredClone(FAKE_INFO) as { pipelines: object[] };
      Object.assign(info.pipelines[0] ?? {}, { description: 'the newer one' });
      fake.behaviour.info = info;
      void fake.down().then(() => fake.up());
      return true;
    };
    const run = worker.run({ handleSignals: false });
    await until(() => job.status === 'SUCCESS');
    await worker.stop();
    await run;
    expect(job.counts).toMatchObject({ processed: 12, failed: 0 });
    expect(registered).toHaveLength(2);
  });

  it('takes no task after a contract mismatch, and fails no image', async () => {
    const { worker, job, fake } = await world(dialect, imageUrls(12));
    const closed = eventsOf(worker, 'pipeline_closed');
    fake.behaviour.override = (_, response) => {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<html><title>Not Found</title>');
      return true;
    };
    const run = worker.run({ handleSignals: false });
    await until(() => closed.length > 0);
    await worker.stop();
    const report = await run;
    expect(closed[0]?.reason).toContain('404: an HTML page "Not Found"');
    expect(report).toMatchObject({ failed: 0, succeeded: 0, lapsed: report.taken });
    expect(job.counts).toMatchObject({ processed: 0, failed: 0 });
  });
});
