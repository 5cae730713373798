import type { BoundingBox } from '../contract/results.js';
import type { HandlerClassification } from '../worker/handler/handler.js';
import { activate, argmax } from './activation.js';
import type { Decoder } from './decode.js';
import { chunks, inTurns, type Steps } from './detect.js';
import { cropOf, type Crop } from './geometry.js';
import { inputArray, InputWriter, type RawImage } from './pixels.js';
import type { PlannedClassifier } from './plan.js';
import { outputsOf } from './read-boxes.js';

/** What one classifier said of one box. */
interface Verdict {
  readonly classification: HandlerClassification;
  readonly class_: number;
}

/**
 * Runs the classifiers in order, each on the boxes that an earlier one leaves it.
 * @param image - at the size as stored: crops keep their pixels.
 * @returns for each box what was said of it, in the order of the classifiers.
 */
export async function classify(
  classifiers: readonly PlannedClassifier[],
  image: RawImage,
  boxes: readonly BoundingBox[],
  decoder: Decoder,
  steps: Steps,
): Promise<readonly (readonly HandlerClassification[])[]> {
  const verdicts: Map<number, Verdict>[] = [];
  for (const [number, classifier] of classifiers.entries()) {
    const wanted = boxes.flatMap((box, index) =>
      goesOn(classifier, verdicts, index) ? [{ box, index }] : [],
    );
    const said = new Map<number, Verdict>();
    await inTurns(chunks(wanted, classifier.maxBatch), async (group) => {
      const outputs = await outputsOfCrops(
        { classifier, number: number + 1 },
        image,
        group.map(({ box }) => box),
        decoder,
        steps,
      );
      group.forEach(({ index }, slot) => {
        said.set(index, verdictOf(classifier, outputs[slot] ?? []));
      });
    });
    verdicts.push(said);
  }
  return boxes.map((_, index) =>
    classifiers.flatMap((classifier, number) => {
      const verdict = verdicts[number]?.get(index);
      if (!verdict) return [];
      const followed = classifiers.some(
        (next, later) => later > number && next.after?.classifier === number && verdicts[later]?.has(index),
      );
      return [{ ...verdict.classification, terminal: classifier.terminal ?? !followed }];
    }),
  );
}

function goesOn(
  { after }: PlannedClassifier,
  verdicts: readonly ReadonlyMap<number, Verdict>[],
  index: number,
): boolean {
  if (!after) return true;
  const verdict = verdicts[after.classifier]?.get(index);
  return verdict !== undefined && after.classes.includes(verdict.class_);
}

/** A model's numbers for each crop. */
async function outputsOfCrops(
  { classifier, number }: { readonly classifier: PlannedClassifier; readonly number: number },
  image: RawImage,
  boxes: readonly BoundingBox[],
  decoder: Decoder,
  { ask, timings, now, check }: Steps,
): Promise<number[][]> {
  check();
  const { format, crop, resample, output, labels } = classifier;
  const startedAt = now();
  const crops = boxes.map((box) => cropOf(box, crop, image, format));
  const cut = await Promise.all(crops.map((one) => decoder.crop(image, one, resample)));
  timings.decodeMs += now() - startedAt;
  const writtenAt = now();
  const data = inputArray(format, boxes.length);
  const writer = new InputWriter(format);
  cut.forEach((pixels, slot) => {
    writer.write(data, slot, pixels, windowOf(crops[slot]));
  });
  timings.prepareMs += now() - writtenAt;
  const reply = await ask({ model: number, count: boxes.length, data });
  timings.modelMs += reply.runMs;
  const readAt = now();
  const rows = reply.runs.flatMap(({ count, outputs }) => {
    const numbers = outputsOf(outputs).get(output)?.data ?? [];
    return Array.from({ length: count }, (_, slot) =>
      Array.from(labels, (_label, column) => numbers[slot * labels.length + column] ?? Number.NaN),
    );
  });
  timings.finishMs += now() - readAt;
  return rows;
}

function windowOf(crop: Crop | undefined): { readonly x: number; readonly y: number } {
  return { x: -(crop?.target.x ?? 0), y: -(crop?.target.y ?? 0) };
}

function verdictOf({ key, labels, activation }: PlannedClassifier, outputs: readonly number[]): Verdict {
  const scores = activate(outputs, activation);
  const class_ = argmax(scores);
  return {
    class_,
    classification: {
      algorithm: key,
      classification: labels[class_],
      // Models compute in 32 bits or fewer: more digits of each would be noise, and twice the bytes to post.
      scores: Float32Array.from(scores),
      ...(activation === 'none' ? {} : { logits: Float32Array.from(outputs) }),
    },
  };
}
