// Handler for batches on a card with room for five images, which says so in its own way or by our class.
import { OutOfMemoryTaskError } from '../../../../src/worker/handler/task-errors.ts';

export async function processBatch(images, { logger }) {
  logger.info({ count: images.length }, 'called');
  if (images.length > 5) throw new OutOfMemoryTaskError('CUDA out of memory');
  return images.map(() => ({ detections: [] }));
}
