import type { BoundingBox } from '../../contract/results.js';
import type { AlgorithmConfig } from '../../contract/registration.js';
import type { HandlerClassification, ProcessResult } from './handler.js';

/** A box as somebody who looks on wants it: where, what, how sure. */
export interface FoundBox {
  /** In pixels of the source image. */
  readonly bbox: BoundingBox;
  /** Undefined for a detection without a classification. */
  readonly label: string | undefined;
  /** Highest score of the classification that counts; undefined without one. */
  readonly score: number | undefined;
}

/** Boxes of a checked result with their best labels; a detection without a box is left out. */
export function foundBoxes(
  pipeline: { readonly algorithms: ReadonlyMap<string, AlgorithmConfig> },
  { detections }: ProcessResult,
): FoundBox[] {
  return detections.flatMap(({ bbox, classifications = [] }) => {
    if (bbox === null) return [];
    // The server shows the last terminal one; a step on the way to it is no answer.
    const counted = classifications.findLast(({ terminal }) => terminal !== false) ?? classifications.at(-1);
    return [
      { bbox, label: counted && labelOf(pipeline, counted), score: counted?.scores[bestOf(counted.scores)] },
    ];
  });
}

function labelOf(
  { algorithms }: { readonly algorithms: ReadonlyMap<string, AlgorithmConfig> },
  { classification, algorithm, scores }: HandlerClassification,
): string | undefined {
  if (classification !== undefined) return classification;
  const withMap = [...algorithms.values()].find(({ key, category_map }) =>
    algorithm === undefined ? category_map : key === algorithm,
  );
  return withMap?.category_map?.data[bestOf(scores)]?.label;
}

/** Where the highest score is. A loop: spreading ten thousand scores into `Math.max` can overflow the stack. */
function bestOf(scores: ArrayLike<number>): number {
  let best = 0;
  for (let at = 1; at < scores.length; at++)
    if ((scores[at] ?? Number.NEGATIVE_INFINITY) > (scores[best] ?? Number.NEGATIVE_INFINITY)) best = at;
  return best;
}
