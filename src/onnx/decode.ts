import type sharp from 'sharp';
import { PermanentTaskError } from '../worker/handler/task-errors.js';
import type { Crop, Size } from './geometry.js';
import type { RawImage } from './pixels.js';

type SharpFunction = typeof sharp;
type Sharp = ReturnType<SharpFunction>;
/** Filter that scales pixels. */
export type Resample = 'nearest' | 'linear' | 'cubic' | 'lanczos3';

/**
 * Turns files into pixels: 8-bit RGB as stored. The EXIF orientation is not applied, because boxes are in pixels of the stored image; an
 * animation is its first picture; transparent parts are on white.
 */
export class Decoder {
  readonly #sharp: SharpFunction;

  constructor(library: SharpFunction) {
    this.#sharp = library;
    // A cache of decoded images would be memory that no budget counts, and images come once.
    library.cache(false);
    // Images are decoded side by side; threads within one would only take the cores from the models.
    library.concurrency(1);
  }

  /** Size of the image as stored. @throws PermanentTaskError when the bytes are no image. */
  async sizeOf(bytes: Uint8Array): Promise<Size> {
    if (bytes.byteLength === 0) throw new PermanentTaskError('the image is empty: it has no bytes');
    try {
      const { width, height, pageHeight } = await this.#open(bytes).metadata();
      return { width, height: pageHeight ?? height };
    } catch (error) {
      throw unreadable(error);
    }
  }

  /** Decodes at a size; a JPEG is shrunk while it is read, which is several times faster. @throws PermanentTaskError when it is damaged. */
  async decode(bytes: Uint8Array, size: Size, stored: Size, resample: Resample): Promise<RawImage> {
    try {
      const image = this.#open(bytes).flatten({ background: 'white' }).toColourspace('srgb');
      const same = size.width === stored.width && size.height === stored.height;
      return await raw(same ? image : image.resize({ ...size, fit: 'fill', kernel: resample }));
    } catch (error) {
      throw unreadable(error);
    }
  }

  /** The same image in another size. */
  async resize(image: RawImage, { width, height }: Size, resample: Resample): Promise<RawImage> {
    if (image.width === width && image.height === height) return image;
    return await raw(this.#pixels(image).resize({ width, height, fit: 'fill', kernel: resample }));
  }

  /** What a classifier is shown, without the padding around it. */
  async crop(
    image: RawImage,
    { left, top, width, height, target }: Crop,
    resample: Resample,
  ): Promise<RawImage> {
    const part = this.#pixels(image).extract({ left, top, width, height });
    return await raw(
      part.resize({ width: target.width, height: target.height, fit: 'fill', kernel: resample }),
    );
  }

  #open(bytes: Uint8Array): Sharp {
    // Limits on pixels are the budget's, which knows what is decoded at full size; sharp's own would refuse 20,000 pixels a side.
    return this.#sharp(bytes, { failOn: 'error', limitInputPixels: false, sequentialRead: true, pages: 1 });
  }

  #pixels({ data, width, height }: RawImage): Sharp {
    return this.#sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false });
  }
}

async function raw(image: Sharp): Promise<RawImage> {
  const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  if (info.channels === 3) return { data, width: info.width, height: info.height };
  return { data: toThree(data, info.channels), width: info.width, height: info.height };
}

/** Grey, with or without transparency, becomes three channels: models know no other. */
function toThree(data: Uint8Array, channels: number): Uint8Array {
  const pixels = data.length / channels;
  const three = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel += 1)
    for (let channel = 0; channel < 3; channel += 1)
      three[pixel * 3 + channel] = data[pixel * channels + (channels < 3 ? 0 : channel)] ?? 0;
  return three;
}

function unreadable(error: unknown): PermanentTaskError {
  const why = error instanceof Error ? error.message : String(error);
  return new PermanentTaskError(`the image cannot be decoded: ${why.split('\n')[0] ?? ''}`, { cause: error });
}
