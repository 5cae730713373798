import { AntennaClient, AntennaWorker, silentLogger, ThreadExecutor, type FetchLike } from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { eventsOf, until } from '../../support/worlds.js';
import { FROM_SOURCES } from '../executors/support.js';
import { rigPipeline } from './rig.js';

/** How long the handler computes without a pause, in milliseconds of real time. */
const SPIN_MS = 1_500;
const images: FetchLike = () => Promise.resolve(new Response(Buffer.from(String(SPIN_MS))));

/** A worker on the real clock, whose heartbeat is its poll. */
function world(definition: Parameters<typeof rigPipeline>[1], count = 2) {
  const server = createContractServer({ dialect: 'token', emptyWaitMs: 1 });
  const project = server.project({ name: 'Meadow' });
  const pipeline = project.pipeline({
    slug: 'test-moths',
    algorithms: [{ key: 'test-moths-box', task_type: 'detection' }],
  });
  const job = project.job({ pipeline, images: count });
  const client = new AntennaClient({
    baseUrl: server.baseUrl,
    token: server.user({ superuser: true }).token,
    fetch: server.fetch,
    logger: silentLogger,
  });
  const worker = new AntennaWorker({
    client,
    projects: [project.id],
    pipelines: [rigPipeline('test-moths', definition)],
    register: false,
    fetch: images,
    concurrency: 1,
    pollIntervalMs: 50,
  });
  return { server, job, worker };
}

describe('T7 a handler that computes without a pause', () => {
  it('in a thread: the worker answers and notices no stall, and every lease is read right', async () => {
    const module = new URL('./handlers/spins.mjs', import.meta.url);
    const executor = new ThreadExecutor({ module, threads: 1, execArgv: FROM_SOURCES });
    const { worker, job, server } = world({ executor });
    const stalls = eventsOf(worker, 'stall');
    const expired = eventsOf(worker, 'lease_expired');
    const started = eventsOf(worker, 'downloaded');
    const running = worker.run({ until: 'drained', handleSignals: false });
    await until(() => started.length > 0);
    // While the handler spins, the worker's own thread turns freely.
    let turns = 0;
    const startedAt = performance.now();
    while (performance.now() - startedAt < SPIN_MS / 2) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      turns += 1;
    }
    expect(turns).toBeGreaterThan(20);
    await running;
    server.settle();
    expect(job.status).toBe('SUCCESS');
    expect(stalls).toHaveLength(0);
    expect(expired).toHaveLength(0);
  });

  it('in the worker’s own thread: the stall is reported, and the work is still done', async () => {
    const { worker, job, server } = world({
      process: () => {
        const end = performance.now() + SPIN_MS;
        while (performance.now() < end);
        return { detections: [] };
      },
    });
    const stalls = eventsOf(worker, 'stall');
    await worker.run({ until: 'drained', handleSignals: false });
    server.settle();
    expect(job.status).toBe('SUCCESS');
    expect(stalls.length).toBeGreaterThan(0);
    expect(stalls[0]?.durationMs).toBeGreaterThanOrEqual(1_000);
  });

  it('in the worker’s own thread: between two images the network has its turn, however many are ready', async () => {
    let turns = 0;
    const turn = (): NodeJS.Immediate => {
      turns += 1;
      return setImmediate(() => (next = turn()));
    };
    let next = turn();
    const turnOfCall: number[] = [];
    const { worker } = world(
      {
        process: () => {
          turnOfCall.push(turns);
          return { detections: [] };
        },
      },
      40,
    );
    await worker.run({ until: 'drained', handleSignals: false });
    clearImmediate(next);
    expect(turnOfCall).toHaveLength(40);
    expect(new Set(turnOfCall).size).toBe(40);
  });
});
