import {
  AntennaClient,
  AntennaWorker,
  definePipeline,
  silentLogger,
  type FetchLike,
  type ProcessResult,
  type TaskImage,
  type WorkerPipeline,
} from 'antenna-sdk';
import { createContractServer } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pipelineDefinition } from '../support/pipelines.js';
import { eventsOf, imageFetch } from '../support/worlds.js';

const bbox = { x1: 1, y1: 1, x2: 9, y2: 9 };
const known = { bbox: { x1: 3, y1: 3, x2: 8, y2: 8 }, algorithm: { name: 'Old', key: 'old' } };

/** A server that sends more with its tasks than today's do. */
async function served(
  pipeline: WorkerPipeline,
  more: (imageId: string) => object,
  options: { readonly images?: number; readonly maxPostBytes?: number } = {},
) {
  const { images = 3, ...workerOptions } = options;
  const server = createContractServer({ dialect: 'api-key', emptyWaitMs: 1 });
  const project = server.project({ name: 'Meadow' });
  const key = project.service({ name: 'w' }).key();
  const results: Record<string, unknown>[] = [];
  const fetch: FetchLike = async (input, init) => {
    const answer = await server.fetch(input, init);
    if (input.endsWith('/result/') && answer.ok) {
      const posted = JSON.parse(Buffer.from(init.body ?? '').toString()) as {
        results: { result: Record<string, unknown> }[];
      };
      results.push(...posted.results.map(({ result }) => result));
    }
    if (!input.endsWith('/tasks/')) return answer;
    const body = (await answer.json()) as { tasks: { image_id: string }[] };
    const tasks = body.tasks.map((task) => ({ ...task, ...more(task.image_id) }));
    return Response.json({ ...body, tasks }, { status: answer.status });
  };
  const client = new AntennaClient({
    baseUrl: server.baseUrl,
    apiKey: key.value,
    fetch,
    logger: silentLogger,
  });
  const { pipelines } = await client.pipelines.register(project.id, [pipeline.config]);
  const job = project.job({ pipeline: pipelines[0] ?? null, images });
  const worker = new AntennaWorker({
    client,
    projects: [project.id],
    pipelines: [pipeline],
    fetch: imageFetch,
    pollIntervalMs: 5,
    ...workerOptions,
  });
  const posts = eventsOf(worker, 'posted');
  const downloads = eventsOf(worker, 'downloaded');
  const report = await worker.run({ until: 'drained', handleSignals: false });
  server.settle();
  await client.close();
  return { report, results, posts, downloads, job };
}

describe('what servers will send with a task', () => {
  it('reaches the handler: its configuration with its type and defaults, its boxes, and itself; the result tells what was used', async () => {
    const seen: { image: TaskImage; threshold: number; mode: string }[] = [];
    const pipeline = definePipeline({
      ...pipelineDefinition(),
      configSchema: z.object({ threshold: z.number(), mode: z.enum(['fast', 'slow']).default('fast') }),
      process: (image, { config }) => {
        seen.push({ image, threshold: config.threshold, mode: config.mode });
        return { detections: image.detections.map((box) => ({ bbox: box.bbox })) };
      },
    });
    const config = { threshold: 0.25, request_source_image_batch_size: 4 };
    const { report, results } = await served(pipeline, () => ({
      config,
      detections: [known, { bbox: 'no' }],
      night: 5,
    }));
    expect(report).toMatchObject({ succeeded: 3, failed: 0 });
    expect(seen.map(({ threshold, mode }) => [threshold, mode])).toEqual([
      [0.25, 'fast'],
      [0.25, 'fast'],
      [0.25, 'fast'],
    ]);
    expect(seen[0]?.image.detections).toEqual([known]);
    expect(seen[0]?.image.task).toMatchObject({ night: 5, config });
    for (const result of results) {
      expect(result['config']).toEqual({ ...config, mode: 'fast' });
      expect(result['detections']).toMatchObject([{ bbox: known.bbox }]);
    }
  });

  it('is that task’s error alone when the pipeline’s schema refuses its configuration, before its image is fetched', async () => {
    const asked: string[] = [];
    const pipeline = definePipeline({
      ...pipelineDefinition(),
      configSchema: z.object({ threshold: z.number().optional() }),
      process: ({ id }) => {
        asked.push(id);
        return { detections: [] };
      },
    });
    let first: string | undefined;
    const { report, results, downloads } = await served(pipeline, (id) =>
      (first ??= id) === id ? { config: { threshold: 'high' } } : {},
    );
    expect(report).toMatchObject({ succeeded: 2, failed: 1 });
    expect(asked).toHaveLength(2);
    expect(downloads).toHaveLength(2);
    expect(asked).not.toContain(first);
    expect(results.find((result) => 'error' in result)?.['error']).toContain('config.threshold');
  });

  it('may be overruled by the handler, which knows what it used', async () => {
    const process = (): ProcessResult => ({ detections: [], config: { model: 'small' } });
    const { results } = await served(
      definePipeline(pipelineDefinition({ process })),
      () => ({ config: { model: 'large' } }),
      { images: 1 },
    );
    expect(results[0]?.['config']).toEqual({ model: 'small' });
  });

  it('is nothing today, and nothing is told of it', async () => {
    const { results } = await served(definePipeline(pipelineDefinition()), () => ({}), { images: 1 });
    expect(results[0]).not.toHaveProperty('config');
  });
});

describe('what servers will take with a result', () => {
  const features = Float32Array.from({ length: 2_048 }, (_, index) => Math.sin(index));
  const rich = (length = 2_048): ProcessResult => ({
    detections: [
      {
        bbox,
        rotation: 12.5,
        features: features.subarray(0, length),
        classifications: [{ scores: Float32Array.of(0.1, 0.9), features: features.subarray(0, length) }],
      },
    ],
  });

  it('is sent when the handler gives it, is counted in packing, and disturbs no server of today', async () => {
    const pipeline = definePipeline(
      pipelineDefinition({ process: () => rich(), featureLengths: { 'test-species': 2_048 } }),
    );
    const { report, results, posts, job } = await served(pipeline, () => ({}), {
      images: 8,
      maxPostBytes: 128 * 1024,
    });
    expect(report).toMatchObject({ succeeded: 8, failed: 0 });
    expect(job.counts).toMatchObject({ processed: 8, failed: 0 });
    const [detection] = results[0]?.['detections'] as {
      rotation: number;
      features: number[];
      classifications: { features: number[] }[];
    }[];
    expect(detection?.rotation).toBe(12.5);
    expect(Float32Array.from(detection?.features ?? [])).toEqual(features);
    expect(Float32Array.from(detection?.classifications[0]?.features ?? [])).toEqual(features);
    expect(posts.length).toBeGreaterThan(2);
    for (const { bytes } of posts) expect(bytes).toBeLessThanOrEqual(128 * 1024);
  });

  it('is that image’s error when its length is not the declared one: a server would refuse the whole post', async () => {
    const pipeline = definePipeline(
      pipelineDefinition({
        process: ({ url }) => rich(url.endsWith('1.jpg') ? 2_047 : 2_048),
        featureLengths: { 'test-box': 2_048 },
      }),
    );
    const { report, results } = await served(pipeline, () => ({}));
    expect(report.failed).toBeLessThan(3);
    const errors = results.filter((result) => 'error' in result);
    expect(errors).toHaveLength(report.failed);
    for (const { error } of errors)
      expect(error).toMatch(/detections\.0\.features has 2047 numbers.*declares 2048/);
  });
});
