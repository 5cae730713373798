import { PermanentTaskError } from '../worker/task-errors.js';
import type { ProcessResult } from '../worker/pipeline.js';
import type { ByteBudget } from './byte-budget.js';
import { classify } from './classify.js';
import type { Decoder } from './decode.js';
import { CALLS_AHEAD, detect, passesOf, type AskModel, type ImageTimings } from './detect.js';
import type { Size } from './geometry.js';
import { inputBytes } from './pixels.js';
import type { Plan } from './plan.js';

/** What the processing of images needs, made once a thread. */
export interface ImageTools {
  readonly plan: Plan;
  readonly decoder: Decoder;
  readonly ask: AskModel;
  readonly budget: ByteBudget;
  readonly now: () => number;
}

/** What became of an image. */
export interface ProcessedImage {
  readonly result: ProcessResult;
  readonly timings: ImageTimings;
}

/**
 * From a file to detections: decoded once, at the largest size that any model needs, then found, then named.
 * @throws PermanentTaskError when the file is no image, or larger than memory allows; what the models throw; the signal's reason.
 */
export async function processImage(
  bytes: Uint8Array,
  { plan, decoder, ask, budget, now }: ImageTools,
  signal: AbortSignal,
): Promise<ProcessedImage> {
  const timings: ImageTimings = { decodeMs: 0, prepareMs: 0, modelMs: 0, finishMs: 0 };
  const steps = {
    ask,
    timings,
    now,
    check: () => {
      signal.throwIfAborted();
    },
  };
  const stored = await decoder.sizeOf(bytes);
  const size = workingSize(plan, stored);
  const needed = bytesFor(plan, stored, size);
  if (needed > budget.limit)
    throw new PermanentTaskError(
      `the image of ${stored.width} × ${stored.height} pixels needs ${needed} bytes of memory, and there are ${budget.limit}: raise runtime.memoryBytes`,
    );
  await budget.acquire(needed);
  try {
    signal.throwIfAborted();
    const startedAt = now();
    const working = await decoder.decode(bytes, size, stored, plan.detector.resample);
    timings.decodeMs += now() - startedAt;
    const boxes = await detect(plan.detector, working, stored, decoder, steps);
    const named = await classify(plan.classifiers, working, boxes, decoder, steps);
    return {
      result: {
        detections: boxes.map((bbox, index) => ({ bbox, classifications: named[index] ?? [] })),
      },
      timings,
    };
  } finally {
    budget.release(needed);
  }
}

/** The size at which an image is decoded: the smallest that has all the pixels which any model looks at. */
function workingSize({ detector, classifiers }: Plan, stored: Size): Size {
  if (classifiers.length > 0) return stored;
  const sizes = passesOf(detector, stored).map(({ scaled }) => scaled);
  const width = Math.max(...sizes.map((size) => size.width));
  const height = Math.max(...sizes.map((size) => size.height));
  return width >= stored.width || height >= stored.height ? stored : { width, height };
}

/**
 * Bytes that an image may take at the same time: decoded, scaled for a pass, and as inputs on their way. What the library for images holds
 * while it decodes comes on top: some rows, or a whole image where a format cannot be read from top to bottom.
 */
function bytesFor({ detector, classifiers }: Plan, stored: Size, working: Size): number {
  const scaled = passesOf(detector, stored)
    .map((pass) => pass.scaled)
    .filter((size) => size.width !== working.width || size.height !== working.height);
  const largest = Math.max(0, ...scaled.map(pixelBytes));
  const inputs = [detector, ...classifiers].map(({ format, maxBatch }) => inputBytes(format) * maxBatch);
  return pixelBytes(working) + largest + CALLS_AHEAD * Math.max(...inputs);
}

function pixelBytes({ width, height }: Size): number {
  return width * height * 3;
}
