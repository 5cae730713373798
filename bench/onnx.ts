import { existsSync, readdirSync, readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { blobDetector, shadeClassifier, SHADES } from '../examples/onnx/blob-model.js';
import { silentLogger, systemClock, type TaskImage } from '../src/index.js';
import { ONNX_CHANNELS, onnxPipeline, type OnnxDescription, type OnnxImageSpan } from '../src/onnx/index.js';
import { suppress } from '../src/onnx/suppression.js';
import { atLeast, figure, median, type Bench, type Row } from './harness.js';

const PHOTOGRAPHS = new URL('../../shared/images/', import.meta.url);
const EXEC_ARGV = ['--import', new URL('../examples/onnx/register-tsx.mjs', import.meta.url).href];
const DETECTOR = { model: 'blobs.onnx', labels: ['blob'], padding: 220 };
const MIB = 1024 * 1024;
/** Beside the budget: what the decoder and the runtime hold, and inputs and outputs that were used and wait to be collected. */
const HELD_BYTES = 512 * MIB;
const MEMORY_ROUNDS = 25;
const IMAGES_A_ROUND = 8;

/** 4K JPEGs: real ones where they are, else noise that is as dear to decode. */
async function images(): Promise<Buffer[]> {
  if (existsSync(PHOTOGRAPHS))
    return readdirSync(PHOTOGRAPHS).map((name) => readFileSync(new URL(name, PHOTOGRAPHS)));
  const noise = { type: 'gaussian' as const, mean: 190, sigma: 12 };
  const create = { width: 4096, height: 2160, channels: 3 as const, background: '#ccc', noise };
  return [await sharp({ create }).jpeg().toBuffer()];
}

interface Running {
  /** Runs so many photographs in one call. @returns what became of each, and what the call cost. */
  readonly run: (count: number) => Promise<Measured>;
  readonly close: () => Promise<void>;
}

interface Measured {
  readonly wallMs: number;
  /** Of all cores, by the whole process. */
  readonly cpuMs: number;
  readonly spans: readonly OnnxImageSpan[];
}

async function start(folder: string, changes: Partial<OnnxDescription>): Promise<Running> {
  const description = {
    ...{ name: 'Bench', slug: 'bench', version: 1, detector: DETECTOR },
    runtime: { providers: ['cpu' as const] },
    ...changes,
  };
  const executor = onnxPipeline(description, { folder, execArgv: EXEC_ARGV }).createExecutor(systemClock);
  const context = {
    signal: new AbortController().signal,
    config: {},
    logger: silentLogger,
    deadline: { remainingMs: () => 600_000 },
  };
  const files = await images();
  await executor.warmUp?.(context);
  const run = async (count: number): Promise<Measured> => {
    const spans: OnnxImageSpan[] = [];
    const listen = (message: unknown): void => {
      spans.push(message as OnnxImageSpan);
    };
    const batch = Array.from({ length: count }, (_, index) => imageOf(files, index));
    subscribe(ONNX_CHANNELS.image, listen);
    const [startedAt, before] = [performance.now(), process.cpuUsage()];
    const outcomes = await executor.run(batch, context);
    const { user, system } = process.cpuUsage(before);
    const wallMs = performance.now() - startedAt;
    unsubscribe(ONNX_CHANNELS.image, listen);
    const failed = outcomes.find((outcome) => !outcome.ok);
    if (failed) throw failed.error as Error;
    return { wallMs, cpuMs: (user + system) / 1000, spans };
  };
  return { run, close: () => executor.close() };
}

function imageOf(files: readonly Buffer[], index: number): TaskImage {
  const [id, bytes] = [String(index), files[index % files.length] ?? Buffer.alloc(0)];
  const url = `https://images.example/${id}`;
  const task = { id, image_id: id, image_url: url, reply_subject: id };
  return { id, url, bytes, contentType: 'image/jpeg', jobId: 1, detections: [], task };
}

type Part = 'decodeMs' | 'prepareMs' | 'modelMs' | 'finishMs';
const sum = (spans: readonly OnnxImageSpan[], ...parts: readonly Part[]): number =>
  spans.reduce((total, span) => total + parts.reduce((all, part) => all + span[part], 0), 0);

/** One image after the other, so that each part has the cores to itself; and many, as a worker has them. */
async function endToEnd(folder: string): Promise<Row[]> {
  const running = await start(folder, {});
  await running.run(8);
  const alone: OnnxImageSpan[] = [];
  for (let index = 0; index < 24; index += 1) alone.push(...(await running.run(1)).spans);
  const whole = await running.run(48);
  await running.close();
  const part = (...parts: readonly Part[]): number => median(alone.map((span) => sum([span], ...parts)));
  const [runMs, cpuMs] = [part('modelMs'), whole.cpuMs / whole.spans.length];
  // All cores have to do is the run and what is around it: more than this no model can be busy.
  const ceiling = Math.min(1, (availableParallelism() * runMs) / cpuMs);
  const busy = (runMs * whole.spans.length) / whole.wallMs;
  return [
    figure('a run of the model, alone', runMs, 'ms'),
    figure('decoding of a 4K JPEG for 640 pixels, alone', part('decodeMs'), 'ms'),
    figure('CPU of an image that is not the run', 100 * (1 - runMs / cpuMs), '%'),
    figure('model busy, of the wall clock', 100 * busy, '%'),
    atLeast('model busy, of what decoding leaves', (100 * busy) / ceiling, '%', 95),
    figure(
      'pre- and post-processing',
      median(
        alone.map(
          (span) => (100 * sum([span], 'prepareMs', 'finishMs')) / sum([span], 'decodeMs', 'modelMs'),
        ),
      ),
      '% of decode + run',
      25,
    ),
  ];
}

/** The same model on 8 and 32 tiles, in turns: what is not proportional is what tiles cost beside their runs. */
async function tiles(folder: string): Promise<Row> {
  const [few, many] = await Promise.all(
    [0.5, 1].map((scale) =>
      start(folder, { detector: { ...DETECTOR, tiles: { scales: [scale], wholeImage: false } } }),
    ),
  );
  if (!few || !many) throw new Error('there are no models');
  const ratios: number[] = [];
  for (let round = 0; round < 16; round += 1) {
    const perTile = async (running: Running, count: number): Promise<number> =>
      sum((await running.run(1)).spans, 'prepareMs', 'modelMs', 'finishMs') / count;
    const before = await perTile(few, 8);
    const large = await perTile(many, 32);
    // Between two of the others, so that a machine that slows down favours nobody.
    ratios.push(large / ((before + (await perTile(few, 8))) / 2));
  }
  await Promise.all([few.close(), many.close()]);
  return figure(
    'cost of a tile among 32, against one among 8',
    Math.abs(100 * (median(ratios.slice(2)) - 1)),
    '% off',
    10,
  );
}

/** Memory with full-size images, crops and tiles: over what the process has with its models loaded, and whether it goes on growing. */
async function memory(folder: string): Promise<Row[]> {
  const memoryBytes = 256 * MIB;
  const running = await start(folder, {
    detector: { ...DETECTOR, tiles: { scales: [0.5] } },
    classifiers: [{ model: 'shades.onnx', labels: [...SHADES], normalise: 'unit' }],
    runtime: { providers: ['cpu'], memoryBytes },
  });
  const idle = process.memoryUsage.rss();
  const peaks: number[] = [];
  for (let round = 0; round < MEMORY_ROUNDS; round += 1) {
    let peak = 0;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 5);
    await running.run(IMAGES_A_ROUND);
    clearInterval(timer);
    peaks.push(peak - idle);
  }
  await running.close();
  const half = peaks.length >> 1;
  const grown = median(peaks.slice(half)) - median(peaks.slice(2, half));
  return [
    figure(
      `memory over the loaded models, ${peaks.length * IMAGES_A_ROUND} 4K images, memoryBytes of 256 MiB`,
      Math.max(...peaks) / MIB,
      'MiB',
      (memoryBytes + HELD_BYTES) / MIB,
    ),
    figure('growth in the second half', Math.max(0, grown) / MIB, 'MiB', 16),
  ];
}

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
    writeFileSync(join(folder, 'shades.onnx'), shadeClassifier());
    return [
      // First, while the process is small: memory that others have left behind would be used again and not be seen.
      ...(await memory(folder)),
      ...(await endToEnd(folder)),
      figure('suppression of 30,000 boxes, 300 kept', suppressionMs(300), 'ms', 15),
      figure('suppression of 30,000 boxes, all kept that can be', suppressionMs(30_000), 'ms', 15),
      await tiles(folder),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const onnx: Bench = { name: 'onnx', title: 'ONNX models on 4K photographs, from the sources', run };
