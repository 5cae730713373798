import { PermanentTaskError, type ProcessResult, type TaskImage } from 'antenna-sdk';
import { classifyBlob } from './classify.js';
import { detectInsects, ImageDecodeError } from './detect.js';

/** The model: a module of its own, which a thread loads. It computes for half a second an image, and the worker goes on meanwhile. */
export async function process(image: TaskImage): Promise<ProcessResult> {
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
}
