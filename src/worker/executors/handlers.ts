import type { BatchOutput, HandlerContext, ProcessResult, TaskImage } from '../handler/handler.js';
import type { BatchOutcome } from './executor.js';
import { HandlerOutputError } from './execution-errors.js';

/**
 * What a handler is made of, as options of the inline executor or as exports of a module: `process` (or the default export) for one
 * image, or `processBatch` for several, which wins if both are there.
 */
export interface Handlers {
  readonly process?:
    ((image: TaskImage, context: HandlerContext) => ProcessResult | Promise<ProcessResult>) | undefined;
  readonly processBatch?:
    | ((images: readonly TaskImage[], context: HandlerContext) => BatchOutput | Promise<BatchOutput>)
    | undefined;
  /** Loads the model. May return the milliseconds that one image takes, which saves the worker the first careful steps. */
  readonly warmUp?: ((context: HandlerContext) => unknown) | undefined;
}

/** How many images one call takes. */
export type HandlerMode = 'image' | 'batch';

export function modeOf(handlers: Handlers): HandlerMode {
  return handlers.processBatch ? 'batch' : 'image';
}

/**
 * Calls the handler on the images.
 * @returns one outcome per image, in order.
 * @throws what `processBatch` throws, or HandlerOutputError when its answer cannot be matched to the images.
 */
export async function callHandlers(
  handlers: Handlers,
  images: readonly TaskImage[],
  context: HandlerContext,
): Promise<BatchOutcome[]> {
  const { process, processBatch } = handlers;
  if (processBatch) return matchOutput(images, await processBatch(images, context));
  const outcomes: BatchOutcome[] = [];
  for (const image of images) {
    try {
      outcomes.push(outcomeOf(image, await process?.(image, context)));
    } catch (error) {
      outcomes.push({ ok: false, error });
    }
  }
  return outcomes;
}

/** Milliseconds per image if `warmUp` returned a usable number. */
export async function callWarmUp(handlers: Handlers, context: HandlerContext): Promise<number | undefined> {
  const answer = await handlers.warmUp?.(context);
  return typeof answer === 'number' && Number.isFinite(answer) && answer > 0 ? answer : undefined;
}

function matchOutput(images: readonly TaskImage[], output: unknown): BatchOutcome[] {
  if (output instanceof Map) return images.map((image) => outcomeOf(image, output.get(image.id)));
  if (Array.isArray(output) && output.length === images.length)
    return images.map((image, index) => outcomeOf(image, output[index]));
  // Guessing which entry is missing would give one image the insects of another.
  const got = Array.isArray(output) ? `an array of ${output.length}` : describe(output);
  throw new HandlerOutputError(
    `processBatch must return an array of ${images.length} results in the order of the images, or a Map by image id; it returned ${got}`,
  );
}

/** What a handler returned for an image, as the outcome of that image. */
export function outcomeOf(image: TaskImage, output: unknown): BatchOutcome {
  if (output instanceof Error) return { ok: false, error: output };
  if (typeof output === 'object' && output !== null && 'detections' in output)
    return { ok: true, result: output as ProcessResult };
  const error = new HandlerOutputError(
    `the handler must return { detections } for image ${image.id}; it returned ${describe(output)}`,
  );
  return { ok: false, error };
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  return typeof value === 'object' ? 'an object without detections' : `a ${typeof value}`;
}
