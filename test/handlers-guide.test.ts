import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import {
  AntennaClient,
  AntennaWorker,
  silentLogger,
  WORKER_DEFAULTS,
  type AntennaWorkerOptions,
  type WorkerPipeline,
} from 'antenna-sdk';
import { createContractServer, createImageHost, createTestClock, type ImageHost } from 'antenna-sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SPOOL_DEFAULTS } from '../src/worker/run/options.js';
import { installForFile } from './cli/harness.js';
import { labels } from './support/model.js';

const { cli } = await installForFile();
const PAGE = readFileSync(new URL('../docs/handlers.md', import.meta.url), 'utf8');
const FILES = [...PAGE.matchAll(/^```ts \[([\w.-]+)\]\n([\s\S]*?)^```$/gm)].map(
  ([, name = '', code = '']) => ({
    name,
    code,
  }),
);
const MODEL = fileURLToPath(new URL('./support/model.ts', import.meta.url));
const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));
mkdirSync(CACHE, { recursive: true });
const folder = mkdtempSync(join(CACHE, 'handlers-'));

/** A pipeline of the page. */
async function exported(name: string): Promise<WorkerPipeline> {
  const [pipeline] = Object.values((await import(join(folder, name))) as Record<string, WorkerPipeline>);
  if (!pipeline) throw new Error(`${name} exports nothing`);
  return pipeline;
}

/** Does a job of images. @returns how many went well and failed, and what the server has of the first. */
async function work(
  pipeline: WorkerPipeline,
  urlsOf: (host: ImageHost) => readonly string[],
  config?: object,
) {
  const clock = createTestClock();
  const server = createContractServer({ dialect: 'api-key', clock });
  const host = createImageHost({ clock });
  const project = server.project({ name: 'Meadow' });
  const job = project.job({ pipeline: project.pipeline(pipeline.config), images: [...urlsOf(host)] });
  if (config !== undefined)
    server.faults.intervene(
      async (_, next) => {
        const reply = await next();
        if (reply.kind !== 'answer') return reply;
        const { tasks } = JSON.parse(Buffer.from(reply.response.body).toString()) as { tasks: object[] };
        const body = JSON.stringify({ tasks: tasks.map((task) => ({ ...task, config })) });
        const headers = { ...reply.response.headers, 'content-length': String(Buffer.byteLength(body)) };
        return { ...reply, response: { ...reply.response, headers, body } };
      },
      { route: 'tasks' },
    );
  const apiKey = project.service().key().value;
  const client = new AntennaClient({
    ...{ baseUrl: server.baseUrl, apiKey, fetch: server.fetch, clock },
    logger: silentLogger,
  });
  const worker = new AntennaWorker({
    client,
    projects: [project.id],
    pipelines: [pipeline],
    fetch: host.fetch,
  });
  const { succeeded, failed } = await clock.runUntil(worker.run({ until: 'drained' }));
  await client.close();
  return { succeeded, failed, detections: job.detections(job.imageIds[0] ?? '') };
}

const good = (host: ImageHost): string[] => [host.generate().url, host.generate().url];
const oneBad = (host: ImageHost): string[] => [...good(host), host.add('bad.png', Buffer.from('no image'))];

/** Rows of the table below a heading, as cells without their backticks. */
function tableBelow(heading: string): string[][] {
  const section = PAGE.slice(PAGE.indexOf(`\n## ${heading}\n`) + 1).split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| (.+) \|$/gm)]
    .map(([, row = '']) => row.split(' | '))
    .slice(2)
    .map((cells) => cells.map((cell) => cell.replaceAll('`', '')));
}

describe('the guide to handlers', () => {
  beforeAll(() => {
    cpSync(MODEL, join(folder, 'model.ts'));
    for (const { name, code } of FILES) writeFileSync(join(folder, name), code);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('has a name for each of its files', () => {
    expect(PAGE.match(/^```ts/gm)?.length).toBe(FILES.length);
    expect(FILES.map(({ name }) => name)).toEqual([
      ...['moths.ts', 'batch.ts', 'errors.ts', 'warm.ts'],
      ...['handler.ts', 'threads.ts', 'configured.ts', 'moths.test.ts'],
    ]);
  });

  it.each(['moths.ts', 'batch.ts', 'errors.ts', 'warm.ts', 'configured.ts'])(
    'has a pipeline in %s that finds a moth in each image, and fails what is none',
    async (name) => {
      const { succeeded, failed, detections } = await work(await exported(name), oneBad);
      expect({ succeeded, failed }).toEqual({ succeeded: 2, failed: 1 });
      expect(detections).toMatchObject([{ bbox: { x1: 10, y1: 10, x2: 60, y2: 50 } }]);
    },
  );

  it('names the moth by the highest score', async () => {
    const { detections } = await work(await exported('moths.ts'), good);
    expect(detections[0]?.classifications).toMatchObject([{ taxon: labels[1] }]);
  });

  it('has a pipeline that goes by the configuration of a task', async () => {
    const configured = await exported('configured.ts');
    expect((await work(configured, good, { minimum: 0.6 })).detections).toMatchObject([{ bbox: { x1: 10 } }]);
    // What the server keeps of an image on which nothing was found.
    expect((await work(configured, good, { minimum: 0.9 })).detections).toMatchObject([{ bbox: null }]);
  });

  it('has a test that passes', async () => {
    await import(join(folder, 'moths.test.ts'));
  });

  it('has a handler that runs in threads, compiled', async () => {
    const cwd = cli.work();
    const names = ['handler.ts', 'threads.ts', 'model.ts'];
    await build({
      entryPoints: names.map((name) => join(folder, name)),
      ...{ outdir: cwd, format: 'esm', platform: 'node', target: 'node20', tsconfigRaw: {} },
    });
    const host = createImageHost();
    mkdirSync(join(cwd, 'photos'));
    for (const name of ['1.png', '2.png']) {
      const answer = await host.fetch(host.generate().url, {});
      writeFileSync(join(cwd, 'photos', name), Buffer.from(await answer.arrayBuffer()));
    }
    const { code, stdout, stderr } = await cli.run(['predict', 'photos', '--module', 'threads.js'], { cwd });
    expect(code, stderr).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { image: '1.png', ok: true, detections: [{ bbox: { x1: 10 } }] },
      { image: '2.png', ok: true, detections: [{ bbox: { x1: 10 } }] },
    ]);
  });

  it('lists every option of a worker with the default that the code has', () => {
    const names: Readonly<Record<keyof AntennaWorkerOptions, true>> = {
      ...{ client: true, pipelines: true, projects: true, jobs: true, register: true, concurrency: true },
      ...{ maxBatchSize: true, maxHeld: true, downloadConcurrency: true, imageBudgetBytes: true },
      ...{ outboxBytes: true, maxPostBytes: true, maxPostResults: true, lingerMs: true },
      ...{ pollIntervalMs: true, graceMs: true, processTimeoutMs: true, leaseMs: true, maxDeliveries: true },
      ...{ spool: true, failures: true, download: true, fetch: true, random: true },
    };
    const rows = tableBelow('Options of AntennaWorker');
    expect(rows.map(([name]) => name)).toEqual(Object.keys(names));
    const said = Object.fromEntries(rows.map(([name = '', value = '']) => [name, numberOf(value)]));
    const { heartbeatMs: _, ...defaults } = WORKER_DEFAULTS;
    expect(said).toMatchObject(defaults);
    const spool = rows.find(([name]) => name === 'spool')?.[2] ?? '';
    const numbers = spool.split('; ').slice(-1)[0]?.split(', ') ?? [];
    expect(numbers.map(numberOf)).toEqual(Object.values(SPOOL_DEFAULTS));
  });
});

/** `5,000`, `256 MiB`; NaN for words. */
function numberOf(text: string): number {
  const [number = '', unit] = text.split(' ');
  return Number(number.replaceAll(',', '')) * (unit === 'MiB' ? 1024 * 1024 : 1);
}
