import { late } from '../time/late.js';

/** When a service fails, which most never do. */
const sizes = late(() => import('image-size'));

/** Bytes that are looked at: the size stands at the beginning, after a camera's notes and thumbnail at most. */
const HEAD_BYTES = 256 * 1024;

/**
 * Width and height of a picture as a text to compare by; undefined if they cannot be read. Only asked for services that have failed on a
 * batch.
 */
export async function pictureSize(bytes: Uint8Array): Promise<string | undefined> {
  const { imageSize } = await sizes();
  try {
    const { width, height } = imageSize(bytes.subarray(0, HEAD_BYTES));
    return `${width}x${height}`;
  } catch {
    return undefined;
  }
}
