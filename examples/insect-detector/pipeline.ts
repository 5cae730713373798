import { definePipeline, PermanentTaskError } from 'antenna-sdk';
import { CATEGORY_MAP, classifyBlob } from './classify.js';
import { detectInsects, ImageDecodeError } from './detect.js';

/** The example's pipeline: one detector that finds silhouettes, one classifier that sorts them by size and shape. */
export const insectPipeline = definePipeline({
  name: 'Light sheet silhouettes',
  slug: 'light-sheet-silhouettes',
  version: 1,
  description: 'Finds dark things on a light sheet and sorts them by size and shape. Names no species.',
  algorithms: [
    { key: 'light-sheet-blobs', name: 'Light sheet blobs', task_type: 'detection' },
    {
      key: 'silhouette-shapes',
      name: 'Silhouette shapes',
      task_type: 'classification',
      category_map: CATEGORY_MAP,
    },
  ],
  async process(image) {
    try {
      const { blobs } = await detectInsects(image.bytes);
      return {
        detections: blobs.map((blob) => {
          const { label, scores, logits } = classifyBlob(blob);
          return { bbox: blob.bbox, classifications: [{ classification: label, scores, logits }] };
        }),
      };
    } catch (error) {
      // A damaged file stays damaged: report it now instead of trying again.
      if (error instanceof ImageDecodeError) throw new PermanentTaskError(error.message);
      throw error;
    }
  },
});
