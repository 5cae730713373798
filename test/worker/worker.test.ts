import { AntennaConfigError, AntennaWorker, PermanentTaskError, RetryableTaskError } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { pipelineDefinition } from '../support/pipelines.js';
import { createWorld, eventsOf, imageUrls, until, WORLDS, type World } from '../support/worlds.js';

let world: World | undefined;

async function enter(...args: Parameters<typeof createWorld>): Promise<World> {
  world = await createWorld(...args);
  return world;
}

afterEach(async () => {
  await world?.close();
  world = undefined;
});

const oneInsect = () => ({
  detections: [{ bbox: { x1: 1, y1: 1, x2: 9, y2: 9 }, classifications: [{ scores: [0.1, 0.8, 0.1] }] }],
});

describe.each(WORLDS)('AntennaWorker against an %s server over %s', (dialect, carrier) => {
  it('registers, works a job to its end, and reports every task', async () => {
    const { job, worker, server } = await enter(dialect, carrier, { definition: { process: oneInsect } });
    const made = worker();
    const registered = eventsOf(made, 'registered');
    const report = await made.run({ until: 'drained' });
    server.settle();
    expect(job.status).toBe('SUCCESS');
    expect(job.counts).toMatchObject({ processed: 6, failed: 0, detections: 6, classifications: 6 });
    expect(report).toMatchObject({ succeeded: 6, posted: 6, failed: 0, abandoned: 0, reason: 'drained' });
    expect(report.jobs[job.id]).toMatchObject({ posted: 6 });
    expect(registered).toHaveLength(1);
    expect(made.state).toBe('stopped');
  });

  it('reports an image that does not exist as failed, with its id, and goes on (T27)', async () => {
    const images = [...imageUrls(3), 'https://images.invalid/404.jpg'];
    const { job, worker, server } = await enter(dialect, carrier, { images });
    const report = await worker().run({ until: 'drained' });
    server.settle();
    expect(report).toMatchObject({ succeeded: 3, failed: 1, posted: 4 });
    expect(job.counts).toMatchObject({ processed: 4, failed: 1 });
    expect(job.status).toBe('SUCCESS');
  });
});

describe('AntennaWorker', () => {
  it('gives a handler that throws a second try before the image counts as failed', async () => {
    const calls = new Map<string, number>();
    const { job, worker, server } = await enter('api-key', 'socket', {
      definition: {
        process(image) {
          const count = (calls.get(image.id) ?? 0) + 1;
          calls.set(image.id, count);
          if (count === 1) throw new Error('out of memory, for a moment');
          return { detections: [] };
        },
      },
    });
    await worker().run({ until: 'drained' });
    server.settle();
    expect(job.counts.failed).toBe(0);
    expect([...calls.values()]).toEqual([2, 2, 2, 2, 2, 2]);
  });

  it('posts an error at once for a PermanentTaskError, and never tries again', async () => {
    let calls = 0;
    const { job, worker, server } = await enter('api-key', 'socket', {
      images: imageUrls(1),
      definition: {
        process() {
          calls += 1;
          throw new PermanentTaskError('not an image');
        },
      },
    });
    await worker().run({ until: 'drained' });
    server.settle();
    expect(calls).toBe(1);
    expect(job.counts).toMatchObject({ processed: 1, failed: 1 });
  });

  it('posts nothing for a RetryableTaskError while another delivery is left, and an error on the last (T26)', async () => {
    let calls = 0;
    const { job, worker, server } = await enter('token', 'socket', {
      images: imageUrls(1),
      definition: {
        process() {
          calls += 1;
          throw new RetryableTaskError('the model server restarts');
        },
      },
    });
    const made = worker();
    const tasks = eventsOf(made, 'task');
    const running = made.run({ handleSignals: false });
    await until(() => tasks.length === 1);
    server.settle();
    expect(job.counts).toMatchObject({ processed: 0, failed: 0 });
    job.expireLeases();
    await until(() => tasks.length === 2);
    await made.stop();
    await running;
    server.settle();
    expect(tasks.map(({ outcome }) => outcome)).toEqual(['lapsed', 'error']);
    expect(job.counts).toMatchObject({ processed: 1, failed: 1 });
    expect(calls).toBe(2);
  });

  it('turns a result that could never be saved into that image’s error, before anything is sent', async () => {
    const { job, worker, server } = await enter('api-key', 'socket', {
      images: imageUrls(2),
      definition: {
        process: (image) =>
          image.url.endsWith('/1.jpg')
            ? {
                detections: [
                  { bbox: { x1: 0, y1: 0, x2: 1, y2: 1 }, classifications: [{ scores: [1, 2, 3, 4] }] },
                ],
              }
            : oneInsect(),
      },
    });
    const made = worker();
    const tasks = eventsOf(made, 'task');
    await made.run({ until: 'drained' });
    server.settle();
    expect(tasks.find(({ outcome }) => outcome === 'error')?.error).toContain('scores has 4 entries');
    expect(job.counts).toMatchObject({ processed: 2, failed: 1, detections: 1 });
  });

  it('finishes and posts what it holds when stopped, takes nothing more, and can run again', async () => {
    const { job, worker, server } = await enter('api-key', 'socket', { images: imageUrls(20) });
    const made = worker({ maxBatchSize: 4, concurrency: 2 });
    const reserved = eventsOf(made, 'reserved');
    const running = made.run({ handleSignals: false });
    await until(() => reserved.length >= 2);
    await made.stop();
    const report = await running;
    const taken = reserved.reduce((sum, { count }) => sum + count, 0);
    expect(report).toMatchObject({ posted: taken, abandoned: 0, reason: 'stopped' });
    expect(taken).toBeLessThan(20);
    await made.run({ until: 'drained' });
    server.settle();
    expect(job.status).toBe('SUCCESS');
  });

  it('stops at SIGTERM like stop(), and leaves no signal listener behind', async () => {
    const { worker } = await enter('api-key', 'socket');
    const before = process.listenerCount('SIGTERM');
    const made = worker();
    const posted = eventsOf(made, 'posted');
    const running = made.run();
    await until(() => posted.length > 0);
    process.emit('SIGTERM', 'SIGTERM');
    expect(await running).toMatchObject({ reason: 'signal', abandoned: 0 });
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });

  it('settles although a handler never returns: a stop without grace abandons the task and says so', async () => {
    let aborted = false;
    let started = false;
    const { worker } = await enter('api-key', 'socket', {
      images: imageUrls(1),
      definition: {
        process: (_image, { signal }) => {
          started = true;
          signal.addEventListener('abort', () => (aborted = true));
          return new Promise<never>(() => undefined);
        },
      },
    });
    const made = worker();
    const running = made.run({ handleSignals: false });
    await until(() => started);
    await made.stop({ graceMs: 0 });
    expect(await running).toMatchObject({ abandoned: 1, posted: 0 });
    expect(aborted).toBe(true);
  });

  it('goes on when a listener throws', async () => {
    const { worker } = await enter('api-key', 'socket');
    const made = worker();
    made.on('task', () => {
      throw new Error('dashboard is down');
    });
    expect(await made.run({ until: 'drained' })).toMatchObject({ posted: 6 });
  });

  it('leaves a job alone that it may not serve, instead of asking for ever (T15)', async () => {
    const { worker, server, job } = await enter('api-key', 'socket');
    const foreign = server.project({ name: 'Elsewhere' });
    const forbidden = foreign.job({ pipeline: { id: 1 }, images: imageUrls(2) });
    const made = worker({ projects: [], register: false });
    const running = made.run({ handleSignals: false });
    await until(() => {
      server.settle();
      return job.status === 'SUCCESS' && listings(server) > 5;
    });
    await made.stop();
    await running;
    const asked = server.requests.filter(({ path }) => path.includes(`/jobs/${forbidden.id}/tasks/`));
    expect(asked).toHaveLength(1);
  });

  it('ends run() with the error when the server refuses the registration', async () => {
    const { client, projectId } = await enter('api-key', 'socket');
    const made = new AntennaWorker({
      client,
      projects: [projectId + 100],
      pipelines: [pipelineDefinition()],
    });
    await expect(made.run()).rejects.toMatchObject({ name: 'NotFoundError' });
    expect(made.state).toBe('failed');
  });

  it('names every wrong option before it does anything', async () => {
    const { client } = await enter('api-key', 'socket');
    const wrong = { client, pipelines: [], concurrency: 0, projcets: [1] };
    expect(() => new AntennaWorker(wrong)).toThrow(AntennaConfigError);
    try {
      new AntennaWorker(wrong);
    } catch (error) {
      expect(String(error)).toMatch(/pipelines.*concurrency.*projcets/s);
    }
    const twice = [pipelineDefinition(), pipelineDefinition()];
    expect(() => new AntennaWorker({ client, pipelines: twice })).toThrow('"test-moths" is given twice');
  });

  it('refuses a second run while one is going on', async () => {
    const { worker } = await enter('api-key', 'socket');
    const made = worker();
    const running = made.run({ handleSignals: false });
    await expect(made.run()).rejects.toThrow('cannot become starting');
    await made.stop();
    await running;
  });
});

function listings(server: World['server']): number {
  return server.requests.filter(({ method, path }) => method === 'GET' && path.endsWith('/jobs/')).length;
}
