import { AntennaClient, AntennaWorker, CommandExecutor, silentLogger, type FetchLike } from 'antenna-sdk';
import { createContractServer, type JobHandle } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { eventsOf, until } from '../support/worlds.js';
import { FAKE } from './executors/command/fake-path.js';
import { rigPipeline } from './reliability/rig.js';

function world(
  start: string,
  options: { images?: number; fetch?: FetchLike; timeoutMs?: number; budgetBytes?: number } = {},
): { worker: AntennaWorker; job: JobHandle } {
  const server = createContractServer({ dialect: 'token', emptyWaitMs: 1 });
  const project = server.project({ name: 'Meadow' });
  const pipeline = project.pipeline({
    slug: 'test-moths',
    algorithms: [{ key: 'test-moths-box', task_type: 'detection' }],
  });
  const job = project.job({ pipeline, images: options.images ?? 8 });
  const client = new AntennaClient({
    baseUrl: server.baseUrl,
    token: server.user({ superuser: true }).token,
    fetch: server.fetch,
    logger: silentLogger,
  });
  const executor = new CommandExecutor({
    command: process.execPath,
    args: [FAKE, 'image', start],
    startTimeoutMs: options.timeoutMs,
  });
  const worker = new AntennaWorker({
    client,
    projects: [project.id],
    pipelines: [rigPipeline('test-moths', { executor })],
    register: false,
    fetch: options.fetch ?? (() => Promise.resolve(new Response(Buffer.from('moth')))),
    pollIntervalMs: 20,
    ...(options.budgetBytes === undefined ? {} : { imageBudgetBytes: options.budgetBytes }),
  });
  return { worker, job };
}

describe('a worker whose handler is another program', () => {
  it.each([
    ['missing', /ModuleNotFoundError: No module named "torch"/],
    ['hangs', /not ready after 1500 ms\. It printed last:\n {2}waiting for the graphics card/],
  ])(
    'fails its start with the program’s own last lines, before a task is taken: %s',
    async (start, words) => {
      const { worker, job } = world(start, { timeoutMs: 1_500 });
      await expect(worker.run({ handleSignals: false })).rejects.toThrow(words);
      expect(job.ledger.total('delivered')).toBe(0);
    },
  );

  it.each([
    ['takes one call at a time', 'well'],
    ['takes one ahead', 'ahead'],
  ])(
    'downloads no more than its memory may hold while the program, which %s, does not get on',
    async (_, start) => {
      const megabyte = 1_000_000;
      let downloaded = 0;
      const never = Buffer.alloc(megabyte, ' ').fill('never', 0, 5);
      const { worker } = world(start, {
        images: 60,
        budgetBytes: 4 * megabyte,
        fetch: () => {
          downloaded += 1;
          // A word that the handler does not know, a megabyte long, is answered; the first one sleeps on it.
          return Promise.resolve(new Response(downloaded === 1 ? Buffer.from('slow-2500') : never));
        },
      });
      const tasks = eventsOf(worker, 'task');
      const running = worker.run({ handleSignals: false });
      await until(() => downloaded >= 3);
      // All that the loop wants to start it starts in its next turns; the program sleeps for longer than that.
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(tasks).toHaveLength(0);
      // What is in hand may be as much as the budget and one image more, whose length nobody knew.
      expect(downloaded).toBeLessThanOrEqual(6);
      await worker.stop({ graceMs: 0 });
      await running;
    },
  );
});
