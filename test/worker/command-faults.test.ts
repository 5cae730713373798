import { AntennaClient, AntennaWorker, CommandExecutor, type Logger } from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../support/manual-clock.js';
import { eventsOf, until } from '../support/worlds.js';
import { FAKE } from './executors/command/fake-path.js';
import { openFiles, zombies } from './executors/command/support.js';
import { rigPipeline } from './reliability/rig.js';

const IMAGES = 9;
const URLS = Array.from({ length: IMAGES }, (_, index) => `https://images.invalid/${index}.jpg`);
const POISON = 5;
const TIMEOUT_MS = 60_000;

/** Lets the time of a call be over as soon as its handler says that it never ends. */
function impatientLogger(clock: ManualClock): Logger {
  const look = ({ reason }: Readonly<Record<string, unknown>>): void => {
    if (reason !== 'never ends') return;
    setImmediate(() => {
      clock.advance(TIMEOUT_MS);
      clock.advance(1_000);
    });
  };
  return { debug: () => undefined, info: () => undefined, warn: look, error: () => undefined };
}

/** Runs a job of images, of which one makes the handler do something, until each has an outcome. @returns the URLs of the successes. */
async function run(poison: string, start: string, mode: string): Promise<(string | undefined)[]> {
  const server = createContractServer({ dialect: 'api-key', emptyWaitMs: 1 });
  const project = server.project({ name: 'Meadow' });
  const pipeline = project.pipeline({
    slug: 'test-moths',
    algorithms: [{ key: 'test-moths-box', task_type: 'detection' }],
  });
  const job = project.job({ pipeline, images: URLS });
  const clock = new ManualClock();
  const client = new AntennaClient({
    baseUrl: server.baseUrl,
    apiKey: project.service({ name: 'tester' }).key().value,
    fetch: server.fetch,
    logger: impatientLogger(clock),
  });
  const closes = poison.startsWith('close');
  const executor = new CommandExecutor({
    command: process.execPath,
    args: [FAKE, mode, start],
    env: { PLAIN: '1' },
    random: () => 0,
    // One that closes its streams gets a moment to end by itself; that moment is real.
    ...(closes ? {} : { clock }),
  });
  const worker = new AntennaWorker({
    client,
    projects: [project.id],
    pipelines: [rigPipeline('test-moths', { executor, batchSize: mode === 'batch' ? 4 : 1 })],
    register: false,
    processTimeoutMs: TIMEOUT_MS,
    fetch: (input) =>
      Promise.resolve(new Response(Buffer.from(input.endsWith(`/${POISON}.jpg`) ? poison : 'moth'))),
    pollIntervalMs: 20,
  });
  const tasks = eventsOf(worker, 'task');
  const running = worker.run({ handleSignals: false });
  await until(() => tasks.length >= IMAGES);
  await worker.stop();
  const report = await running;
  server.settle();
  await client.close();
  expect(report.posted).toBe(job.results.length);
  // A killed handler may have more luck elsewhere: its image is left to lapse. Others get their error at once.
  return job.results.flatMap(({ result }) => ('detections' in result ? [result.source_images[0]?.url] : []));
}

describe.each([
  ['well', 'batch'],
  ['ahead', 'batch'],
  ['ahead', 'image'],
])('a worker whose handler (%s, by %s) fails on one image', (start, mode) => {
  it.each([
    ['writes garbage', 'garbage'],
    ['answers twice', 'twice'],
    ['answers for foreign ids', 'foreign'],
    ['answers for a call that is not open', 'other-call'],
    ['says what does not fit', 'misfit'],
    ['answers never', 'never'],
    ['answers for all but one', 'silent'],
    ['closes its streams', 'close-in'],
    ['is killed', 'sigkill'],
    ['is killed within its answer', 'cut-40'],
  ])(
    'posts the results of all others when it %s',
    async (_, poison) => {
      const before = openFiles();
      const succeeded = await run(poison, start, mode);
      expect(succeeded.toSorted()).toEqual(URLS.filter((_url, index) => index !== POISON));
      await expect.poll(zombies, { timeout: 5_000 }).toEqual([]);
      await expect.poll(openFiles, { timeout: 5_000 }).toBeLessThanOrEqual(before);
    },
    60_000,
  );

  it('posts the results of all when it answers too late, after it was done', async () => {
    const succeeded = await run('after', start, mode);
    expect(succeeded.toSorted()).toEqual(URLS);
  }, 60_000);
});
