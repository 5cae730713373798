// Handler for batches, by name. One of its images may be poison.
import { OutOfMemoryTaskError, PermanentTaskError } from '../../../../src/worker/handler/task-errors.ts';

export async function processBatch(images) {
  const words = images.map(({ bytes }) => bytes.toString());
  if (words.includes('sigkill')) process.kill(process.pid, 'SIGKILL');
  if (words.includes('exit')) process.exit(1);
  if (words.includes('throw')) throw new Error('one of them is bad');
  const room = words.includes('room for two') ? 2 : Number.POSITIVE_INFINITY;
  if (words.length > room) throw new OutOfMemoryTaskError('the card is full');
  if (words.includes('short')) return images.slice(1).map(() => ({ detections: [] }));
  const results = new Map(images.map((image, index) => [image.id, { detections: [], of: words[index] }]));
  images.forEach((image, index) => {
    if (words[index] === 'missing') results.delete(image.id);
    if (words[index] === 'permanent') results.set(image.id, new PermanentTaskError('not an image'));
  });
  return results;
}
