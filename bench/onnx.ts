import { existsSync, readdirSync, readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { blobDetector } from '../examples/onnx/blob-model.js';
import { silentLogger, systemClock } from '../src/index.js';
import { ONNX_CHANNELS, onnxPipeline, type OnnxDescription, type OnnxImageSpan } from '../src/onnx/index.js';
import { suppress } from '../src/onnx/suppression.js';
import { atLeast, figure, median, type Bench, type Row } from './harness.js';

const PHOTOGRAPHS = new URL('../../shared/images/', import.meta.url);
const EXEC_ARGV = ['--import', new URL('../examples/onnx/register-tsx.mjs', import.meta.url).href];
const REPEATS = 6;

/** 4K JPEGs: real ones where they are, else noise that is as dear to decode. */
async function images(): Promise<Buffer[]> {
  if (existsSync(PHOTOGRAPHS))
    return readdirSync(PHOTOGRAPHS).map((name) => readFileSync(new URL(name, PHOTOGRAPHS)));
  const noise = { type: 'gaussian' as const, mean: 190, sigma: 12 };
  const create = { width: 4096, height: 2160, channels: 3 as const, background: '#ccc', noise };
  return [await sharp({ create }).jpeg().toBuffer()];
}

interface Measured {
  readonly wallMs: number;
  readonly spans: readonly OnnxImageSpan[];
}

async function measure(folder: string, detector: Partial<OnnxDescription['detector']>): Promise<Measured> {
  const description = {
    name: 'Bench',
    slug: 'bench',
    version: 1,
    detector: { model: 'blobs.onnx', labels: ['blob'], padding: 220, ...detector },
    runtime: { providers: ['cpu' as const] },
  };
  const executor = onnxPipeline(description, { folder, execArgv: EXEC_ARGV }).createExecutor(systemClock);
  const spans: OnnxImageSpan[] = [];
  const listen = (message: unknown): void => {
    spans.push(message as OnnxImageSpan);
  };
  const context = {
    signal: new AbortController().signal,
    config: {},
    logger: silentLogger,
    deadline: { remainingMs: () => 600_000 },
  };
  const files = await images();
  const batch = Array.from({ length: REPEATS }, () => files)
    .flat()
    .map((bytes, index) => {
      const id = String(index);
      const url = `https://images.example/${id}`;
      const task = { id, image_id: id, image_url: url, reply_subject: id };
      return { id, url, bytes, contentType: 'image/jpeg', jobId: 1, detections: [], task };
    });
  await executor.warmUp?.(context);
  await executor.run(batch.slice(0, 4), context);
  subscribe(ONNX_CHANNELS.image, listen);
  const startedAt = performance.now();
  await executor.run(batch, context);
  const wallMs = performance.now() - startedAt;
  unsubscribe(ONNX_CHANNELS.image, listen);
  await executor.close();
  return { wallMs, spans };
}

const sum = (
  spans: readonly OnnxImageSpan[],
  field: 'decodeMs' | 'prepareMs' | 'modelMs' | 'finishMs',
): number => spans.reduce((total, span) => total + span[field], 0);

function suppressionMs(maxDetections: number): number {
  let state = 12_345;
  const random = (): number => (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) / 0x7fffffff;
  const boxes = new Float64Array(30_000 * 4);
  const scores = new Float32Array(30_000);
  for (let index = 0; index < scores.length; index += 1) {
    const [x, y] = [random() * 4096, random() * 2160];
    boxes.set([x, y, x + 10 + random() * 40, y + 10 + random() * 40], index * 4);
    scores[index] = 0.01 + random() * 0.98;
  }
  const times = Array.from({ length: 15 }, () => {
    const startedAt = performance.now();
    suppress({ boxes, scores }, { iou: 0.45, maxDetections });
    return performance.now() - startedAt;
  });
  return median(times);
}

async function run(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'antenna-sdk-bench-onnx-'));
  try {
    writeFileSync(join(folder, 'blobs.onnx'), blobDetector());
    const whole = await measure(folder, {});
    const [decode, prepare, model, finish] = (['decodeMs', 'prepareMs', 'modelMs', 'finishMs'] as const).map(
      (field) => sum(whole.spans, field),
    ) as [number, number, number, number];
    const count = whole.spans.length;
    // The same model on 8 and 32 tiles: what is not proportional is what tiles cost beside their runs.
    const few = await measure(folder, { tiles: { scales: [0.5], wholeImage: false } });
    const many = await measure(folder, { tiles: { scales: [1], wholeImage: false } });
    const perTile = (measured: Measured, tiles: number): number =>
      (sum(measured.spans, 'prepareMs') + sum(measured.spans, 'modelMs') + sum(measured.spans, 'finishMs')) /
      measured.spans.length /
      tiles;
    return [
      figure('a run of the model, of one image', model / count, 'ms'),
      figure('decoding of a 4K JPEG for 640 pixels, with waits', decode / count, 'ms'),
      atLeast(
        'model busy, of the wall clock, where decoding allows it',
        (100 * model) / whole.wallMs,
        '%',
        95,
      ),
      figure(
        'pre- and post-processing',
        (100 * (prepare + finish)) / (decode + model),
        '% of decode + run',
        25,
      ),
      figure('suppression of 30,000 boxes, 300 kept', suppressionMs(300), 'ms', 15),
      figure('suppression of 30,000 boxes, all kept that can be', suppressionMs(30_000), 'ms'),
      figure(
        'cost of a tile among 32, against one among 8',
        Math.abs(100 * (perTile(many, 32) / perTile(few, 8) - 1)),
        '% off',
        10,
      ),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const onnx: Bench = { name: 'onnx', title: 'ONNX models on 4K photographs, from the sources', run };
