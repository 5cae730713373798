import { PermanentTaskError } from '../worker/handler/task-errors.js';
import type { BoundingBox } from '../contract/results.js';
import type { ProcessResult } from '../worker/handler/handler.js';
import type { ByteBudget } from './byte-budget.js';
import { classify } from './classify.js';
import type { Decoder } from './decode.js';
import { CALLS_AHEAD, detect, passesOf, type AskModel, type ImageTimings } from './detect.js';
import { insideImage, type Size } from './geometry.js';
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

/** An image file, and boxes that the server knows in it and wants named again. */
export interface ImageToProcess {
  readonly bytes: Uint8Array;
  readonly known: readonly BoundingBox[];
}

/**
 * From a file to detections: decoded once, at the largest size that any model needs, then found, then named. Boxes that are known are named
 * only, if there is a classifier.
 * @throws PermanentTaskError when the file is no image, or larger than memory allows; what the models throw; the signal's reason.
 */
export async function processImage(
  { bytes, known }: ImageToProcess,
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
  const finds = known.length === 0 || plan.classifiers.length === 0;
  const size = workingSize(plan, stored);
  const needed = bytesFor(plan, stored, size, finds);
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
    const boxes = finds
      ? await detect(plan.detector, working, stored, decoder, steps)
      : known.filter((box) => box.x1 < box.x2 && box.y1 < box.y2 && insideImage(box, stored));
    // What a classifier sees lies in the image. What is posted is the box as it came: the server finds its own by their exact numbers.
    const visible = boxes.map((box) => insideImage(box, stored) ?? box);
    const named = await classify(plan.classifiers, working, visible, decoder, steps);
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
 * @param finds - whether the detector runs.
 */
function bytesFor({ detector, classifiers }: Plan, stored: Size, working: Size, finds: boolean): number {
  const scaled = (finds ? passesOf(detector, stored) : [])
    .map((pass) => pass.scaled)
    .filter((size) => size.width !== working.width || size.height !== working.height);
  const largest = Math.max(0, ...scaled.map(pixelBytes));
  const inputs = [detector, ...classifiers].map(({ format, maxBatch }) => inputBytes(format) * maxBatch);
  return pixelBytes(working) + largest + CALLS_AHEAD * Math.max(...inputs);
}

function pixelBytes({ width, height }: Size): number {
  return width * height * 3;
}
