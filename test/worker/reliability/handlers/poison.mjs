// A native library that dies of one image.
export async function processBatch(images) {
  if (images.some(({ bytes }) => bytes.toString() === 'poison')) process.kill(process.pid, 'SIGKILL');
  return images.map(() => ({ detections: [] }));
}
