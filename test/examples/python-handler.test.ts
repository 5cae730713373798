import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AntennaClient,
  AntennaWorker,
  pipelinesFromCommand,
  silentLogger,
  type FetchLike,
} from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { eventsOf, until } from '../support/worlds.js';
import { pythonHas } from '../worker/executors/command/support.js';
import { orSkipped } from '../support/or-skipped.js';
import { serve, startMain } from './mains.js';
import { expectShown } from './shown.js';

const local = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const folder = local('../shared/images/');
const example = local('examples/python-handler/');
const photographs = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jpg')) : [];

const photographFetch: FetchLike = (input) =>
  Promise.resolve(new Response(readFileSync(join(folder, decodeURIComponent(new URL(input).pathname)))));

/** What the detector finds without a worker, by photograph. */
function boxesOf(names: readonly string[]): readonly unknown[] {
  const paths = names.map((name) => join(folder, name));
  const printed = execFileSync('python3', ['detector.py', ...paths], { cwd: example, encoding: 'utf8' });
  type Found = readonly {
    readonly bbox: readonly [number, number, number, number];
    readonly score: number;
  }[];
  return printed
    .trim()
    .split('\n')
    .map((line) =>
      (JSON.parse(line) as Found).map(({ bbox: [x1, y1, x2, y2], score }) => ({
        bbox: { x1, y1, x2, y2 },
        score,
      })),
    );
}

const isThere = photographs.length > 0 && pythonHas('numpy', 'PIL');
describe.skipIf(!isThere)(
  orSkipped(
    'examples/python-handler',
    isThere,
    'python3 with numpy and Pillow, or ../shared/images, is not there',
  ),
  () => {
    it('takes a job of photographs to SUCCESS, with the boxes that the model finds without a worker', async () => {
      const server = createContractServer({ dialect: 'api-key', emptyWaitMs: 1 });
      const project = server.project({ name: 'Meadow' });
      const client = new AntennaClient({
        baseUrl: server.baseUrl,
        apiKey: project.service({ name: 'tester' }).key().value,
        fetch: server.fetch,
        logger: silentLogger,
      });
      const pipelines = await pipelinesFromCommand({ command: 'python3', args: [join(example, 'model.py')] });
      const { pipelines: stored } = await client.pipelines.register(
        project.id,
        pipelines.map(({ config }) => config),
      );
      const images = photographs.map((name) => `https://images.invalid/${encodeURIComponent(name)}`);
      const [pipeline] = stored;
      if (!pipeline) throw new Error('the pipeline was not registered');
      const job = project.job({ pipeline, images });
      const worker = new AntennaWorker({ client, projects: [project.id], pipelines, fetch: photographFetch });
      const tasks = eventsOf(worker, 'task');
      const running = worker.run({ handleSignals: false });
      await until(() => tasks.length === images.length);
      await worker.stop();
      const report = await running;
      server.settle();
      expect(report).toMatchObject({ succeeded: images.length, failed: 0, lapsed: 0 });
      expect(job.status).toBe('SUCCESS');
      const saved = job.results.map(({ result }) => {
        if (!('detections' in result)) throw new Error('an error was posted');
        return {
          photograph: decodeURIComponent(new URL(result.source_images[0]?.url ?? '').pathname.slice(1)),
          boxes: result.detections.map(({ bbox, classifications }) => ({
            bbox,
            score: classifications[0]?.scores[0],
          })),
        };
      });
      const named = saved.map(({ photograph }) => photograph);
      expect([...named].sort()).toEqual([...photographs].sort());
      expect(saved.every(({ boxes }) => boxes.length > 0)).toBe(true);
      expect(saved.map(({ boxes }) => boxes)).toEqual(boxesOf(named));
    }, 120_000);
  },
);

const canRun = pythonHas('numpy', 'PIL');
describe.skipIf(!canRun)(
  orSkipped('the worker of examples/python-handler', canRun, 'python3 with numpy and Pillow is not there'),
  () => {
    it('does a server’s job, and says what became of each image', async () => {
      const { env, done } = await serve();
      const main = startMain('python-handler/worker.ts', { env });
      await done(main);
      main.child.kill('SIGTERM');
      expect(await main.exit, main.output()).toBe(0);
      expectShown('python-handler', main.printed());
    }, 120_000);
  },
);
