import {
  OutOfMemoryTaskError,
  ThreadExecutor,
  type AntennaWorker,
  type BatchOutcome,
  type Executor,
  type PipelineDefinition,
  type TaskImage,
  type WorkerReport,
} from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../../src/time/clock.js';
import { FROM_SOURCES, listeningLogger } from '../executors/support.js';
import { createRig, drive, eventsOf, rigPipeline, type Rig } from './rig.js';

const WANTED = 24;
const found = (): { detections: [] } => ({ detections: [] });

/** A run of one worker until its job is done. */
async function drained(
  rig: Rig,
  images: number,
  definition: Partial<PipelineDefinition>,
): Promise<{ worker: AntennaWorker; report: WorkerReport }> {
  const worker = rig.worker({ concurrency: 1, definition: { batchSize: WANTED, ...definition } });
  rig.job(images);
  const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }));
  return { worker, report };
}

/** A handler on a card with room for so many images. Its calls take a while, so that whole batches come together. */
function card(rig: Rig, images: () => number, error: () => Error) {
  const sizes: number[] = [];
  const processBatch = async (batch: readonly TaskImage[]): Promise<{ detections: [] }[]> => {
    sizes.push(batch.length);
    await sleep(rig.clock, 100);
    if (batch.length > images()) throw error();
    return batch.map(found);
  };
  return { sizes, processBatch };
}

describe('T21 a batch that does not fit', () => {
  it.each([
    ['any error', 'failed', () => new Error('the model failed')],
    ['want of memory', 'out-of-memory', () => new OutOfMemoryTaskError('CUDA out of memory')],
  ])('is not tried again at its size after %s', async (_, reason, error) => {
    const rig = createRig();
    const { sizes, processBatch } = card(rig, () => 12, error);
    const worker = rig.worker({ concurrency: 1, definition: { batchSize: WANTED, processBatch } });
    const limits = eventsOf(worker, 'batch_limit');
    const explained: string[] = [];
    const bounds = new Set<string | undefined>();
    worker.on('batch_done', () => {
      explained.push(worker.explain());
      bounds.add(worker.metrics().gauges.hold?.bound);
    });
    rig.job(500);
    const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }));
    expect(report).toMatchObject({ succeeded: 500, failed: 0, lapsed: 0 });
    const first = sizes.findIndex((size) => size > 12);
    expect(Math.max(...sizes.slice(first + 1))).toBeLessThanOrEqual(13);
    expect(sizes.filter((size) => size > 12).length).toBeLessThanOrEqual(1 + sizes.length / 20);
    expect(limits[0]).toMatchObject({ pipeline: 'test-moths', from: WANTED, reason });
    expect(limits[0]?.to).toBeLessThanOrEqual(12);
    expect(worker.metrics().counters.batchCuts).toBe(
      limits.filter(({ reason: why }) => why !== 'grown').length,
    );
    expect(explained.join('\n')).toMatch(
      /Batches hold \d+ of 24 images at most, because a larger one failed/,
    );
    expect([...bounds]).toContain('batch');
  });

  it('grows again when there is room', async () => {
    const rig = createRig();
    let images = 4;
    const { sizes, processBatch } = card(
      rig,
      () => images,
      () => new Error('full'),
    );
    const worker = rig.worker({ concurrency: 1, definition: { batchSize: 6, processBatch } });
    worker.on('batch_limit', () => (images = 6));
    rig.job(400);
    await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }));
    expect(sizes.slice(-8).some((size) => size === 6)).toBe(true);
  });

  it('changes nothing when everything fails down to single images', async () => {
    const rig = createRig();
    const { sizes, processBatch } = card(
      rig,
      () => 0,
      () => new Error('the model is broken'),
    );
    const { report, worker } = await drained(rig, 120, { processBatch });
    expect(report.succeeded).toBe(0);
    expect(report.failed).toBeGreaterThan(50);
    expect(worker.metrics().counters.batchCuts).toBe(0);
    expect(sizes.filter((size) => size === WANTED).length).toBeGreaterThan(1);
  });

  it('costs no image when the handler says for each image that memory did not suffice', async () => {
    const rig = createRig();
    const sizes: number[] = [];
    const processBatch = (batch: readonly TaskImage[]) => {
      sizes.push(batch.length);
      return batch.map((_, index) => (index < 5 ? found() : new OutOfMemoryTaskError('no room')));
    };
    const { report, worker } = await drained(rig, 200, { processBatch });
    expect(report).toMatchObject({ succeeded: 200, failed: 0, lapsed: 0 });
    expect(worker.metrics().counters.batchCuts).toBeGreaterThan(0);
    expect(Math.max(...sizes.slice(-10))).toBeLessThanOrEqual(6);
  });

  it('is noticed of an executor that tells nothing of its calls', async () => {
    const rig = createRig();
    const sizes: number[] = [];
    const executor: Executor = {
      kind: 'process',
      run: (batch): Promise<readonly BatchOutcome[]> => {
        sizes.push(batch.length);
        if (batch.length > 5) return Promise.reject(new Error('does not fit'));
        return Promise.resolve(batch.map(() => ({ ok: true, result: found() }) as const));
      },
      close: () => Promise.resolve(),
    };
    const { report, worker } = await drained(rig, 200, { executor });
    expect(report).toMatchObject({ succeeded: 200, failed: 0 });
    expect(worker.metrics().counters.batchCuts).toBeGreaterThan(0);
    expect(Math.max(...sizes.slice(-10))).toBeLessThanOrEqual(6);
  });

  it('is noticed of a handler in a thread', async () => {
    const rig = createRig({ latencyMs: 0 });
    const { logger, lines } = listeningLogger();
    const executor = new ThreadExecutor({
      module: new URL('./handlers/small-card.mjs', import.meta.url),
      threads: 1,
      execArgv: FROM_SOURCES,
      logger,
    });
    rig.job(60);
    const worker = rig.worker({
      concurrency: 1,
      pipelines: [rigPipeline('test-moths', { executor, batchSize: 12 })],
    });
    const limits = eventsOf(worker, 'batch_limit');
    const report = await drive(rig.clock, worker.run({ until: 'drained', handleSignals: false }), {
      disk: true,
    });
    expect(report).toMatchObject({ succeeded: 60, failed: 0, lapsed: 0 });
    expect(limits[0]).toMatchObject({ reason: 'out-of-memory' });
    expect(lines).toEqual([]);
  }, 30_000);
});
