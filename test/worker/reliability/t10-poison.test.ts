import { AntennaClient, AntennaWorker, ProcessExecutor, silentLogger, type FetchLike } from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { eventsOf, until } from '../../support/worlds.js';
import { FROM_SOURCES } from '../executors/support.js';
import { rigPipeline } from './rig.js';

const images: FetchLike = (input) =>
  Promise.resolve(new Response(Buffer.from(input.endsWith('/3.jpg') ? 'poison' : 'moth')));

describe('T10 an image that kills the process of its handler', () => {
  it('takes nobody with it: the others end well, and on its last delivery it gets an error', async () => {
    const server = createContractServer({ dialect: 'token', emptyWaitMs: 1 });
    const project = server.project({ name: 'Meadow' });
    const pipeline = project.pipeline({
      slug: 'test-moths',
      algorithms: [{ key: 'test-moths-box', task_type: 'detection' }],
    });
    const urls = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => `https://images.invalid/${id}.jpg`);
    const job = project.job({ pipeline, images: urls });
    const client = new AntennaClient({
      baseUrl: server.baseUrl,
      token: server.user({ superuser: true }).token,
      fetch: server.fetch,
      logger: silentLogger,
    });
    const executor = new ProcessExecutor({
      module: new URL('./handlers/poison.mjs', import.meta.url),
      processes: 1,
      execArgv: FROM_SOURCES,
    });
    const worker = new AntennaWorker({
      client,
      projects: [project.id],
      pipelines: [rigPipeline('test-moths', { executor, batchSize: 4 })],
      register: false,
      fetch: images,
      pollIntervalMs: 20,
    });
    const tasks = eventsOf(worker, 'task');
    const running = worker.run({ handleSignals: false });
    await until(() => tasks.length === 8);
    expect(tasks.filter(({ outcome }) => outcome === 'success')).toHaveLength(7);
    expect(tasks.find(({ outcome }) => outcome === 'lapsed')?.attempt).toBe(1);
    job.expireLeases();
    await until(() => tasks.length === 9);
    await worker.stop();
    const report = await running;
    server.settle();
    expect(report).toMatchObject({ succeeded: 7, failed: 1, lapsed: 1, posted: 8 });
    expect(job.counts).toMatchObject({ processed: 8, failed: 1 });
    expect(job.status).toBe('SUCCESS');
    const error = job.results.find(({ result }) => 'error' in result);
    expect(JSON.stringify(error?.result)).toContain('died');
  }, 60_000);
});
