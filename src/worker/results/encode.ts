import { detectionSchema } from '../../contract/results.js';
import type { Task } from '../../contract/tasks.js';
import { issuesOf } from '../../contract/issues.js';
import { joinBytes, textBytes } from '../../resources/json-bytes.js';
import type { Outcome } from '../task/outcome.js';
import type { Pipeline } from '../executors/pipeline.js';
import type { HandlerClassification, HandlerDetection, ProcessResult } from '../handler/handler.js';
import { buildDetection, buildEnvelope, detectionsOf, type ResultTiming } from './result-builder.js';
import { PermanentTaskError } from '../handler/task-errors.js';

/** Longest piece of work between two turns of the event loop: heartbeats and posts must not wait for a large result. */
const SLICE_MS = 8;
/** Results with fewer numbers than this take well below a millisecond and are encoded at once. */
const SMALL_NUMBERS = 4_000;

type ImageOf = Pick<Task, 'image_id' | 'image_url'>;

/**
 * Checks results and turns them into bytes, one after the other and in slices. A result of 40 detections with 2,500 scores and logits
 * has 3.8 MB; stringified whole, 24 of them would stop the event loop for seconds.
 */
export class ResultEncoder {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @returns the outcome with exactly the bytes that `JSON.stringify` of the whole result would give; at once for a small result.
   * @throws PermanentTaskError naming what is wrong with the result.
   */
  encode(
    pipeline: Pipeline,
    task: ImageOf,
    output: ProcessResult,
    timing: ResultTiming,
  ): Outcome | Promise<Outcome> {
    const detections = detectionsOf(output);
    const head = `${JSON.stringify(buildEnvelope(pipeline, task, output, timing)).slice(0, -1)},"detections":[`;
    const encodeOne = (detection: HandlerDetection, index: number): string =>
      `${index > 0 ? ',' : ''}${encodeDetection(pipeline, task, detection, index, timing)}`;
    // Most results have a handful of numbers, and promises would cost more than the encoding.
    if (countNumbers(detections) <= SMALL_NUMBERS)
      return outcomeOf(task, textBytes(`${head}${detections.map(encodeOne).join('')}]}`));
    // One at a time: slices of several results would run in the same turn of the event loop and add up again.
    const work = this.#last.then(async () => outcomeOf(task, await inSlices(head, detections, encodeOne)));
    this.#last = work.catch(() => undefined);
    return work;
  }
}

/** Piece by piece: one text of some megabytes costs more than the pieces it is made of. */
async function inSlices(
  head: string,
  detections: readonly HandlerDetection[],
  encodeOne: (detection: HandlerDetection, index: number) => string,
): Promise<Buffer> {
  const parts = [textBytes(head)];
  let sliceEndsAt = performance.now() + SLICE_MS;
  for (const [index, detection] of detections.entries()) {
    parts.push(textBytes(encodeOne(detection, index)));
    if (performance.now() < sliceEndsAt) continue;
    await nextTurn();
    sliceEndsAt = performance.now() + SLICE_MS;
  }
  parts.push(textBytes(']}'));
  return joinBytes(parts);
}

function outcomeOf({ image_id }: ImageOf, body: Buffer): Outcome {
  return { kind: 'success', imageId: image_id, body };
}

function encodeDetection(
  pipeline: Pipeline,
  task: ImageOf,
  given: HandlerDetection,
  index: number,
  timing: ResultTiming,
): string {
  const detection = buildDetection(pipeline, task, given, `detections.${index}`, timing.timestamp);
  const parsed = detectionSchema.safeParse(detection);
  if (!parsed.success) {
    const issues = issuesOf(parsed.error).map(
      ({ path, message }) => `detections.${index}.${path}: ${message}`,
    );
    throw new PermanentTaskError(`invalid result: ${issues.join('; ')}`);
  }
  // The built object, not the parsed copy: key order and detection order stay bit-identical (trap T38).
  return JSON.stringify(detection);
}

function countNumbers(detections: readonly HandlerDetection[]): number {
  let count = 0;
  for (const detection of detections) {
    // Unchecked at this point: a handler in JavaScript may have returned anything.
    const { classifications, features } = (detection as Partial<HandlerDetection> | null) ?? {};
    count += features?.length ?? 0;
    if (!Array.isArray(classifications)) continue;
    for (const item of classifications as (Partial<HandlerClassification> | null)[])
      count += lengthOf(item?.scores) + lengthOf(item?.logits) + lengthOf(item?.features);
  }
  return count;
}

function lengthOf(list: ArrayLike<number> | undefined): number {
  return list?.length ?? 0;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
