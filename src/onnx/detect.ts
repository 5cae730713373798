import { PermanentTaskError } from '../worker/handler/task-errors.js';
import type { BoundingBox } from '../contract/results.js';
import type { Decoder } from './decode.js';
import {
  insideImage,
  isCut,
  isSliver,
  tilePasses,
  toImage,
  wholeImagePass,
  type Pass,
  type Size,
  type Window,
} from './geometry.js';
import type { ModelReply, ModelRequest } from './model-queue.js';
import { inputArray, InputWriter, type RawImage } from './pixels.js';
import type { PlannedDetector } from './plan.js';
import { outputsOf, readBoxes } from './read-boxes.js';
import { suppress } from './suppression.js';

/** Asks a model; the numbers are those of the description: 0 is the detector, 1 the first classifier. */
export type AskModel = (request: ModelRequest) => Promise<ModelReply>;

/** Milliseconds spent on one image, by what they were spent on. */
export interface ImageTimings {
  /** Decoding and scaling, with the wait for a free decoder. */
  decodeMs: number;
  /** Turning pixels into inputs. */
  prepareMs: number;
  /** Calls of models, by this image's part of each. */
  modelMs: number;
  /** Reading outputs and suppression. */
  finishMs: number;
}

/** A model's input that is being filled, and calls of it that are on their way. */
export interface Steps {
  readonly ask: AskModel;
  readonly timings: ImageTimings;
  readonly now: () => number;
  /** @throws when the image is not wanted any more. */
  readonly check: () => void;
}

/** Calls on their way for one image: while one runs, the next is filled. */
export const CALLS_AHEAD = 2;

/** The passes of a detector over an image of this size. @throws PermanentTaskError when it takes more tiles than allowed. */
export function passesOf({ format, fit, tiles }: PlannedDetector, image: Size): readonly Pass[] {
  if (!tiles) return [wholeImagePass(image, format, fit)];
  const sliced = tilePasses(image, format, tiles);
  const count = sliced.reduce((sum, { windows }) => sum + windows.length, 0);
  if (count > tiles.maxTiles)
    throw new PermanentTaskError(
      `the image of ${image.width} × ${image.height} pixels takes ${count} tiles, and detector.tiles.maxTiles is ${tiles.maxTiles}`,
    );
  // An image that fits one tile at its own scale has been seen whole.
  const whole = tiles.wholeImage && sliced.every(({ windows }) => windows.length > 1);
  return whole ? [...sliced, wholeImagePass(image, format, fit)] : sliced;
}

/** Finds what there is in an image. @returns boxes in pixels of the stored image, the best first. */
export async function detect(
  detector: PlannedDetector,
  working: RawImage,
  stored: Size,
  decoder: Decoder,
  steps: Steps,
): Promise<readonly BoundingBox[]> {
  const { timings, now } = steps;
  const passes = passesOf(detector, stored);
  const found = new FoundBoxes(detector, stored);
  for (const pass of passes) {
    const startedAt = now();
    const scaled = await decoder.resize(working, pass.scaled, detector.resample);
    timings.decodeMs += now() - startedAt;
    await runWindows(detector, pass, scaled, found, steps);
  }
  const startedAt = now();
  const windows = passes.reduce((sum, pass) => sum + pass.windows.length, 0);
  const boxes = found.best(windows);
  timings.finishMs += now() - startedAt;
  return boxes;
}

async function runWindows(
  detector: PlannedDetector,
  pass: Pass,
  scaled: RawImage,
  found: FoundBoxes,
  steps: Steps,
): Promise<void> {
  const { format, maxBatch } = detector;
  const writer = new InputWriter(format);
  const groups = chunks(pass.windows, maxBatch);
  await inTurns(groups, async (windows) => {
    steps.check();
    const startedAt = steps.now();
    const data = inputArray(format, windows.length);
    windows.forEach((window, slot) => {
      writer.write(data, slot, scaled, window);
    });
    steps.timings.prepareMs += steps.now() - startedAt;
    const reply = await steps.ask({ model: 0, count: windows.length, data });
    steps.timings.modelMs += reply.runMs;
    const readAt = steps.now();
    found.add(reply, windows, pass);
    steps.timings.finishMs += steps.now() - readAt;
  });
}

/** Collects boxes of all passes in pixels of the stored image. */
class FoundBoxes {
  readonly #detector: PlannedDetector;
  readonly #stored: Size;
  readonly #boxes: BoundingBox[] = [];
  readonly #scores: number[] = [];
  readonly #classes: number[] = [];
  readonly #cut: number[] = [];

  constructor(detector: PlannedDetector, stored: Size) {
    this.#detector = detector;
    this.#stored = stored;
  }

  add(reply: ModelReply, windows: readonly Window[], { scaled }: Pass): void {
    const { layout, confidence, keep, format } = this.#detector;
    let slot = 0;
    for (const run of reply.runs) {
      const outputs = outputsOf(run.outputs);
      for (let index = 0; index < run.count; index += 1, slot += 1) {
        const window = windows[slot];
        if (!window) return;
        readBoxes(layout, outputs, index, { confidence, input: format }, (x1, y1, x2, y2, score, class_) => {
          if (keep && !keep.includes(class_)) return;
          const box = { x1, y1, x2, y2 };
          const inside = insideImage(toImage(box, window, scaled, this.#stored), this.#stored);
          if (!inside || isSliver(box, window, scaled, format)) return;
          this.#boxes.push(inside);
          this.#scores.push(score);
          this.#classes.push(class_);
          this.#cut.push(isCut(box, window, scaled, format) ? 1 : 0);
        });
      }
    }
  }

  best(windows: number): readonly BoundingBox[] {
    const { layout, iou, agnostic, maxDetections } = this.#detector;
    // These have suppressed inside, or were trained not to need it: done again, two insects side by side would be one.
    const suppressed = layout.kind !== 'yolov8' && layout.kind !== 'yolov5' && windows === 1;
    const kept = suppress(
      {
        boxes: Float64Array.from(this.#boxes.flatMap(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2])),
        scores: Float32Array.from(this.#scores),
        cut: Uint8Array.from(this.#cut),
        ...(agnostic ? {} : { classes: Int32Array.from(this.#classes) }),
      },
      { iou: suppressed ? 1 : iou, maxDetections },
    );
    return kept
      .sort((a, b) => (this.#scores[b] ?? 0) - (this.#scores[a] ?? 0))
      .flatMap((index) => this.#boxes[index] ?? []);
  }
}

/** Runs work on each, a few at a time, in order of start. @throws what the first failure throws, when all have ended. */
export async function inTurns<Item>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const index = next;
      next += 1;
      try {
        await work(items[index] as Item, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: CALLS_AHEAD }, lane));
  const failure = ended.find((lane_) => lane_.status === 'rejected');
  if (failure) throw failure.reason;
}

/** Lists of up to `size`. */
export function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
