import sharp from 'sharp';
import type { RgbRaster } from './types.js';

/** An image decoded at reduced size, with the size it has at full resolution. */
export interface DecodedImage {
  sourceWidth: number;
  sourceHeight: number;
  raster: RgbRaster;
}

/** The bytes are not an image that can be decoded whole: the image failed, not the worker. */
export class ImageDecodeError extends Error {
  override readonly name = 'ImageDecodeError';
}

/**
 * Decodes an image with its long side at most `longSide` pixels (never enlarged).
 *
 * A JPEG is shrunk while it is decoded, which is several times faster than decoding a 4K photograph whole. The EXIF
 * orientation is not applied: boxes must refer to the pixels as stored, since that is where others will cut crops.
 *
 * @throws ImageDecodeError when the bytes are empty, truncated, or not an image.
 */
export async function decodeImage(image: Uint8Array, longSide: number): Promise<DecodedImage> {
  if (image.byteLength === 0) throw new ImageDecodeError('Cannot decode the image: it has 0 bytes.');
  try {
    const pipeline = sharp(image, { failOn: 'truncated' });
    const { width, height } = await pipeline.metadata();
    const { data, info } = await pipeline
      .resize({ width: longSide, height: longSide, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return {
      sourceWidth: width,
      sourceHeight: height,
      raster: toRgb(data, info.width, info.height, info.channels),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ImageDecodeError(
      `Cannot decode the image (${image.byteLength} bytes): ${reason}. Check that the file is a whole JPEG, PNG or WebP.`,
      { cause: error },
    );
  }
}

function toRgb(data: Uint8Array, width: number, height: number, channels: number): RgbRaster {
  if (channels === 3) return { width, height, data };
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0, from = 0, to = 0; i < width * height; i += 1, from += channels, to += 3) {
    const gray = data[from] ?? 0;
    rgb[to] = gray;
    rgb[to + 1] = channels > 2 ? (data[from + 1] ?? 0) : gray;
    rgb[to + 2] = channels > 2 ? (data[from + 2] ?? 0) : gray;
  }
  return { width, height, data: rgb };
}
