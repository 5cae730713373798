import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AntennaClient,
  AntennaWorker,
  pushService,
  silentLogger,
  type BoundingBox,
  type StartOptions,
} from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { detectInsects } from '../../examples/insect-detector/detect.js';
import { until } from '../support/worlds.js';
import { orSkipped } from '../support/or-skipped.js';
import { serve, startMain } from './mains.js';
import { expectShown } from './shown.js';

const folder = fileURLToPath(new URL('../../../shared/images/', import.meta.url));
const example = (name: string): string =>
  fileURLToPath(new URL(`../../examples/bridge/${name}`, import.meta.url));
const photographs = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jpg')) : [];
const hasPython = spawnSync('python3', ['--version']).status === 0;

/** A free port, as far as one can know. */
async function listenOnce(
  serve?: Parameters<typeof createServer>[1],
): Promise<{ port: number; close(): void }> {
  const server = createServer(serve ?? (() => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** Serves the photographs at URLs with a query, as signed ones have. */
async function imageHost(): Promise<string> {
  const host = await listenOnce((request, response) => {
    const name = basename((request.url ?? '').split('?')[0] ?? '');
    response.writeHead(200, { 'content-type': 'image/jpeg' }).end(readFileSync(`${folder}${name}`));
  });
  onTestFinished(() => {
    host.close();
  });
  return `http://127.0.0.1:${host.port}`;
}

/** Has a job of photographs done by a service. @returns the boxes that the server has, by photograph. */
async function boxesFrom(
  start: (port: string) => StartOptions,
  names: readonly string[],
): Promise<Record<string, (BoundingBox | null)[]>> {
  const server = createContractServer({ dialect: 'api-key', emptyWaitMs: 1 });
  onTestFinished(() => server.close());
  const project = server.project({ name: 'Night 12' });
  const { url } = await server.listen();
  const apiKey = project.service({ name: 'bridge' }).key().value;
  const client = new AntennaClient({ baseUrl: url, apiKey, logger: silentLogger });
  onTestFinished(() => client.close());
  const free = await listenOnce();
  free.close();
  const service = await pushService({
    url: `http://127.0.0.1:${free.port}`,
    start: start(String(free.port)),
    pollIntervalMs: 50,
  });
  onTestFinished(() => service.close());
  const worker = new AntennaWorker({
    client,
    projects: [project.id],
    pipelines: service.pipelines,
    pollIntervalMs: 20,
  });
  const run = worker.run({ handleSignals: false });
  await until(() => worker.state === 'running');
  const { results } = await client.pipelines.list();
  const [pipeline] = results;
  if (!pipeline) throw new Error('no pipeline was registered');
  const images = await imageHost();
  const job = project.job({ pipeline, images: names.map((name) => `${images}/${name}?signature=secret`) });
  await until(() => job.status === 'SUCCESS');
  await worker.stop();
  await run;
  return Object.fromEntries(
    names.map((name, index) => [name, job.detections(job.imageIds[index] ?? 0).map(({ bbox }) => bbox)]),
  );
}

describe.skipIf(photographs.length === 0)(
  orSkipped(
    'the services of examples/bridge on photographs',
    photographs.length > 0,
    '../shared/images is not there',
  ),
  () => {
    it.skipIf(!hasPython)(
      orSkipped(
        'take a job to SUCCESS with the boxes of the model itself, in Python',
        hasPython,
        'there is no python3',
      ),
      async () => {
        const args = (port: string): string[] => [example('service.py'), '--port', port];
        const boxes = await boxesFrom((port) => ({ command: 'python3', args: args(port) }), photographs);
        for (const name of photographs) {
          const own: unknown = JSON.parse(
            execFileSync('python3', [example('service.py'), '--boxes', `${folder}${name}`], {
              encoding: 'utf8',
            }),
          );
          expect(boxes[name]).toEqual(own);
        }
      },
      120_000,
    );

    it('take a job to SUCCESS with the boxes of the model itself, in Node', async () => {
      const names = photographs.slice(0, 3);
      const boxes = await boxesFrom(
        (port) => ({
          command: process.execPath,
          args: ['--import', 'tsx', example('service.ts'), '--port', port],
        }),
        names,
      );
      for (const name of names) {
        const { blobs } = await detectInsects(readFileSync(`${folder}${name}`));
        expect(blobs.length).toBeGreaterThan(0);
        expect(boxes[name]).toEqual(blobs.map(({ bbox }) => bbox));
      }
    }, 120_000);
  },
);

describe('the worker of examples/bridge', () => {
  it.skipIf(!hasPython)(
    orSkipped('starts the Python service, does a job with it, and ends it', hasPython, 'there is no python3'),
    async () => {
      const { env, done } = await serve();
      const port = await listenOnce();
      port.close();
      const main = startMain('bridge/worker.ts', { env: { ...env, PUSH_SERVICE_PORT: String(port.port) } });
      await done(main);
      main.child.kill('SIGTERM');
      expect(await main.exit, main.output()).toBe(0);
      expectShown('bridge', main.printed());
      await expect(fetch(`http://127.0.0.1:${port.port}/livez`)).rejects.toThrow();
    },
    120_000,
  );

  it('does a job with a service that runs already', async () => {
    const { env, done } = await serve();
    const free = await listenOnce();
    free.close();
    const url = `http://127.0.0.1:${free.port}`;
    startMain('bridge/service.ts', { args: ['--port', String(free.port)] });
    const main = startMain('bridge/worker.ts', { env: { ...env, PUSH_SERVICE_URL: url } });
    await done(main);
    main.child.kill('SIGTERM');
    expect(await main.exit, main.output()).toBe(0);
    expect(main.printed()).toBe('Node example service: node_example\n4 results posted, 0 of them errors\n');
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  }, 120_000);
});
