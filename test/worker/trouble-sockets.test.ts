import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { AntennaClient, AntennaWorker, silentLogger, type PipelineDefinition } from 'antenna-sdk';
import { createContractServer, type ContractServer } from 'antenna-sdk/testing';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function host(serve: (end: (body: Buffer) => void) => void): Promise<string> {
  const server: Server = createServer((_request, response) => {
    serve((body) => {
      response.writeHead(200, { 'content-type': 'image/jpeg' }).end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const definitionOf = (slug: string, process: PipelineDefinition['process']): PipelineDefinition => ({
  name: slug,
  slug,
  version: 1,
  algorithms: [{ key: `${slug}-box`, name: `${slug}-box`, task_type: 'detection' }],
  process,
});

const silenced = (server: ContractServer, route: 'tasks' | 'result', jobId: number): void => {
  server.faults.intervene(() => Promise.resolve({ kind: 'silence' }), {
    route,
    where: ({ path }) => path.includes(`/jobs/${jobId}/`),
  });
};

describe('over real sockets, beside jobs whose images, reservations, posts and handlers never come back', () => {
  it('a good job is done', async () => {
    const good = await host((end) => {
      end(Buffer.from('jpeg'));
    });
    const silent = await host(() => undefined);
    const server = createContractServer({ dialect: 'api-key' });
    const { url } = await server.listen();
    open.push(() => server.close());
    const project = server.project({ name: 'Meadow' });
    const service = project.service({ name: 'tester' });
    const jobOf = (slug: string, at: string, count: number) =>
      project.job({
        pipeline: project.pipeline({ slug, algorithms: [{ key: `${slug}-box`, task_type: 'detection' }] }),
        images: Array.from({ length: count }, (_, index) => `${at}/${index}.jpg`),
      });
    const client = new AntennaClient({ baseUrl: url, apiKey: service.key().value, logger: silentLogger });
    open.push(() => client.close());
    const nothing = (): { detections: [] } => ({ detections: [] });
    const worker = new AntennaWorker({
      client,
      projects: [project.id],
      register: false,
      pollIntervalMs: 200,
      pipelines: [
        definitionOf('good', nothing),
        definitionOf('dead-host', nothing),
        definitionOf('hung', nothing),
        definitionOf('stuck', () => new Promise<never>(() => undefined)),
      ],
    });
    jobOf('dead-host', silent, 300);
    silenced(server, 'result', jobOf('hung', good, 300).id);
    silenced(server, 'tasks', jobOf('hung', good, 300).id);
    jobOf('stuck', good, 300);
    const began = new Set<number>();
    let job = 0;
    const done = new Promise<void>((resolve) => {
      worker.on('reserved', ({ jobId }) => {
        began.add(jobId);
        // Three of the four have tasks in hand: only now is there a good one.
        if (began.size === 3 && job === 0) job = jobOf('good', good, 400).id;
      });
      worker.on('posted', ({ jobId }) => {
        if (jobId === job && server.job(job)?.results.length === 400) resolve();
      });
    });
    const running = worker.run({ handleSignals: false });
    await done;
    expect(server.job(job)?.counts.failed).toBe(0);
    await worker.stop({ graceMs: 0 });
    await running;
  });
});
