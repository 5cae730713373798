import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AntennaClient,
  AntennaWorker,
  commandToken,
  fileToken,
  silentLogger,
  type TokenProvider,
} from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pipelineDefinition } from '../support/pipelines.js';
import { imageFetch, imageUrls } from '../support/worlds.js';

const IMAGES = 24;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'antenna-rotation-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const keyFile = (): string => join(folder, 'key');

/** As a secret store does: the new key stands beside the old one, then takes its name. */
function writeKey(key: string): void {
  writeFileSync(`${keyFile()}.next`, `${key}\n`, { mode: 0o600 });
  renameSync(`${keyFile()}.next`, keyFile());
}

/** A worker on a job; `onImage` runs before each image is processed, with the number processed so far. */
async function work(provider: TokenProvider, onImage: (count: number, world: { rotate(): string }) => void) {
  const server = createContractServer({ dialect: 'api-key', emptyWaitMs: 1 });
  const project = server.project({ name: 'Meadow' });
  const service = project.service({ name: 'tester' });
  let key = service.key();
  writeKey(key.value);
  const rotate = (): string => {
    key.revoke();
    key = service.key();
    return key.value;
  };
  let count = 0;
  const definition = pipelineDefinition({
    process: () => {
      onImage(count, { rotate });
      count += 1;
      return { detections: [] };
    },
  });
  const { url } = await server.listen();
  const client = new AntennaClient({
    baseUrl: url,
    tokenProvider: provider,
    tokenScheme: 'Api-Key',
    logger: silentLogger,
    // The pauses after a 401 are policy, tested elsewhere; here they only take time.
    random: () => 0,
  });
  const { process: _, ...config } = definition;
  const [pipeline] = (await client.pipelines.register(project.id, [config])).pipelines;
  if (!pipeline) throw new Error('the pipeline was not registered');
  const job = project.job({ pipeline, images: imageUrls(IMAGES) });
  const worker = new AntennaWorker({
    client,
    projects: [project.id],
    pipelines: [definition],
    pollIntervalMs: 5,
    maxBatchSize: 4,
    fetch: imageFetch,
    random: () => 0,
  });
  const report = await worker.run({ until: 'drained' });
  server.settle();
  await client.close();
  await server.close();
  const refused = server.requests.filter(({ status }) => status === 401).length;
  return { job, report, refused, processed: count, finalKeyUses: key.usageCount };
}

describe('a key that is replaced while a worker runs', () => {
  it('by a file: the worker goes on with the new key and loses no task', async () => {
    const result = await work(fileToken(keyFile()), (count, { rotate }) => {
      if (count === 8) writeKey(rotate());
    });
    expect(result.job.status).toBe('SUCCESS');
    expect(result.job.counts).toMatchObject({ processed: IMAGES, failed: 0 });
    expect(result.report).toMatchObject({ posted: IMAGES, failed: 0, abandoned: 0 });
    expect(result.processed).toBe(IMAGES);
    expect(result.finalKeyUses).toBeGreaterThan(0);
  });

  it('by a file that gets the new key only after the old one was refused', async () => {
    let late = '';
    const provider = fileToken(keyFile());
    let refusals = 0;
    const result = await work(
      Object.assign((request: Parameters<TokenProvider>[0]) => {
        if (request.reason === 'rejected' && (refusals += 1) === 2 && late !== '') writeKey(late);
        return provider(request);
      }, {}),
      (count, { rotate }) => {
        if (count === 8) late = rotate();
      },
    );
    expect(result.refused).toBeGreaterThan(0);
    expect(result.job.counts).toMatchObject({ processed: IMAGES, failed: 0 });
    expect(result.report).toMatchObject({ posted: IMAGES, failed: 0, abandoned: 0 });
  });

  it('by a command whose token is held: one 401 fetches the new one', async () => {
    const script = `process.stdout.write(require('node:fs').readFileSync(${JSON.stringify(keyFile())}))`;
    const result = await work(commandToken(process.execPath, ['-e', script]), (count, { rotate }) => {
      if (count === 8) writeKey(rotate());
    });
    expect(result.refused).toBeGreaterThan(0);
    expect(result.job.counts).toMatchObject({ processed: IMAGES, failed: 0 });
    expect(result.report).toMatchObject({ posted: IMAGES, failed: 0, abandoned: 0 });
  });

  it('outlives a provider that fails in the middle of the job: results are kept and posted when it is back', async () => {
    const file = fileToken(keyFile());
    let failuresLeft = 0;
    let failed = 0;
    const result = await work(
      (request) => {
        if (failuresLeft === 0) return file(request);
        failuresLeft -= 1;
        failed += 1;
        throw new Error('issuer away');
      },
      (count) => {
        if (count === 8) failuresLeft = 5;
      },
    );
    expect(failed).toBe(5);
    expect(result.job.counts).toMatchObject({ processed: IMAGES, failed: 0 });
    expect(result.report).toMatchObject({ posted: IMAGES, failed: 0, abandoned: 0 });
  });
});
