import type { Size, Window } from './geometry.js';
import { toHalf } from './half.js';

/** Pixels in rows, three bytes each: red, green, blue. */
export interface RawImage extends Size {
  readonly data: Uint8Array;
}

/** Element types of a model's input that pixels can be turned into. */
export type InputType = 'float32' | 'float16' | 'uint8';

/** Numbers that a model wants in place of bytes: `(byte × scale − mean) / std`, for each of the three channels in the model's order. */
export interface Normalisation {
  readonly scale: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/**
 * What the usual training codes do:
 * - `unit`: 0 to 1, as the YOLO family, torchvision's detectors and RT-DETR;
 * - `imagenet`: 0 to 1, then ImageNet's mean and deviation, as torchvision, DETR and most of timm;
 * - `half`: −1 to 1, as timm's `inception` models, ViTs of `augreg` and MobileNets of TensorFlow;
 * - `raw`: 0 to 255, for models that carry their own normalisation.
 */
export const NORMALISATIONS = {
  unit: { scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] },
  imagenet: { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  half: { scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  raw: { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
} as const satisfies Record<string, Normalisation>;

/** How pixels become a model's input. */
export interface InputFormat extends Size {
  readonly type: InputType;
  /** Planes of a channel each (`nchw`), or pixels of three channels (`nhwc`). */
  readonly layout: 'nchw' | 'nhwc';
  readonly channels: 'rgb' | 'bgr';
  readonly normalisation: Normalisation;
  /** Byte of what is not image. */
  readonly padding: number;
}

/** Elements of one image in a model's input, in the type's own array; halves are their bits. */
export type InputArray = Float32Array | Uint16Array | Uint8Array;

/** An input for `count` images. */
export function inputArray({ type, width, height }: Size & { type: InputType }, count: number): InputArray {
  const length = count * width * height * 3;
  if (type === 'float32') return new Float32Array(length);
  return type === 'float16' ? new Uint16Array(length) : new Uint8Array(length);
}

/** Bytes of one image in a model's input. */
export function inputBytes({ type, width, height }: Size & { type: InputType }): number {
  return width * height * 3 * { float32: 4, float16: 2, uint8: 1 }[type];
}

/** Writes windows of images into a model's input. A table a channel replaces the arithmetic: there are 256 bytes, and millions of pixels. */
export class InputWriter {
  readonly #format: InputFormat;
  /** In the order of the model's channels. */
  readonly #tables: readonly [InputArray, InputArray, InputArray];
  /** Where in a pixel each of the model's channels is. */
  readonly #order: readonly [number, number, number];

  constructor(format: InputFormat) {
    this.#format = format;
    this.#order = format.channels === 'rgb' ? [0, 1, 2] : [2, 1, 0];
    const table = (channel: 0 | 1 | 2): InputArray => tableOf(format, channel);
    this.#tables = [table(0), table(1), table(2)];
  }

  /** @param slot - which image of the input is written. */
  write(target: InputArray, slot: number, image: RawImage, window: Window): void {
    const { width, height, layout } = this.#format;
    const plane = width * height;
    const [step, next] = layout === 'nchw' ? [1, plane] : [3, 1];
    const left = clamp(-window.x, width);
    const right = clamp(image.width - window.x, width);
    const top = clamp(-window.y, height);
    const bottom = clamp(image.height - window.y, height);
    for (const channel of [0, 1, 2] as const) {
      const table = this.#tables[channel];
      const first = slot * plane * 3 + channel * next;
      const padding = table[this.#format.padding] ?? 0;
      if (right - left < width || bottom - top < height)
        for (let at = first, pixel = 0; pixel < plane; pixel += 1, at += step) target[at] = padding;
      for (let row = top; row < bottom; row += 1) {
        let from = ((row + window.y) * image.width + left + window.x) * 3 + this.#order[channel];
        let to = first + (row * width + left) * step;
        for (let column = left; column < right; column += 1, from += 3, to += step)
          target[to] = table[image.data[from] ?? 0] ?? 0;
      }
    }
  }
}

function clamp(value: number, limit: number): number {
  return Math.min(limit, Math.max(0, value));
}

function tableOf({ type, normalisation }: InputFormat, channel: 0 | 1 | 2): InputArray {
  const { scale, mean, std } = normalisation;
  const values = Array.from({ length: 256 }, (_, byte) => (byte * scale - mean[channel]) / std[channel]);
  if (type === 'uint8') return Uint8Array.from({ length: 256 }, (_, byte) => byte);
  return type === 'float32' ? Float32Array.from(values) : Uint16Array.from(values, toHalf);
}
