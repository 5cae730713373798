import type { BoundingBox } from '../contract/results.js';

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * One pass of a detector over an image: the image as a whole is scaled to `scaled`, and each window shows the model a part of that, of the
 * size of the model's input. A letterbox is a pass with one window that is larger than the image, tiles are one with many.
 */
export interface Pass {
  readonly scaled: Size;
  readonly windows: readonly Window[];
}

/** Where the left upper corner of a model's input lies in the scaled image; negative where padding comes before the image. */
export interface Window {
  readonly x: number;
  readonly y: number;
}

/** How an image is brought to the size of the input, and where the padding goes. */
export type Fit = 'letterbox' | 'letterbox-corner' | 'stretch';

/** How an image is cut. */
export interface Tiling {
  /** Factors by which the image is scaled before it is cut: 1 keeps its pixels. */
  readonly scales: readonly number[];
  /** Part of a tile that it shares with its neighbour at least, 0 to under 1. */
  readonly overlap: number;
}

/** The whole image in one window. `stretch` ignores its aspect, the others keep it and pad. */
export function wholeImagePass(image: Size, input: Size, fit: Fit): Pass {
  if (fit === 'stretch') return { scaled: input, windows: [{ x: 0, y: 0 }] };
  const ratio = Math.min(input.width / image.width, input.height / image.height);
  const scaled = scaledBy(image, ratio);
  if (fit === 'letterbox-corner') return { scaled, windows: [{ x: 0, y: 0 }] };
  // Rounded as the training code of the YOLO family rounds it: an odd pixel of padding goes to the right and below.
  return {
    scaled,
    windows: [
      {
        x: -Math.floor((input.width - scaled.width) / 2),
        y: -Math.floor((input.height - scaled.height) / 2),
      },
    ],
  };
}

/** A pass for each scale, with windows spread evenly from edge to edge. Where the image is smaller than a window, it is padded around. */
export function tilePasses(image: Size, input: Size, { scales, overlap }: Tiling): Pass[] {
  return scales.map((scale) => {
    const scaled = scaledBy(image, scale);
    const columns = starts(scaled.width, input.width, overlap);
    const rows = starts(scaled.height, input.height, overlap);
    return { scaled, windows: rows.flatMap((y) => columns.map((x) => ({ x, y }))) };
  });
}

function scaledBy({ width, height }: Size, ratio: number): Size {
  return {
    width: Math.max(1, Math.round(width * ratio)),
    height: Math.max(1, Math.round(height * ratio)),
  };
}

/** Starts of windows of length `tile` that cover `length`, with `overlap` of their length shared by neighbours at least. */
function starts(length: number, tile: number, overlap: number): number[] {
  if (length <= tile) return [-Math.floor((tile - length) / 2)];
  const step = Math.max(1, Math.floor(tile * (1 - overlap)));
  const count = Math.ceil((length - tile) / step) + 1;
  return Array.from({ length: count }, (_, index) => Math.round((index * (length - tile)) / (count - 1)));
}

/** From pixels of a window to pixels of the image. The ratios are those of the sizes as rounded: half a pixel of 640 is three of 4096. */
export function toImage(box: BoundingBox, window: Window, scaled: Size, image: Size): BoundingBox {
  const x = image.width / scaled.width;
  const y = image.height / scaled.height;
  return {
    x1: (box.x1 + window.x) * x,
    y1: (box.y1 + window.y) * y,
    x2: (box.x2 + window.x) * x,
    y2: (box.y2 + window.y) * y,
  };
}

/** From pixels of the image to pixels of a window: the inverse of {@link toImage}. */
export function toWindow(box: BoundingBox, window: Window, scaled: Size, image: Size): BoundingBox {
  const x = scaled.width / image.width;
  const y = scaled.height / image.height;
  return {
    x1: box.x1 * x - window.x,
    y1: box.y1 * y - window.y,
    x2: box.x2 * x - window.x,
    y2: box.y2 * y - window.y,
  };
}

/** How near to the edge of a tile a box ends that may have been cut there, in pixels of the tile. */
const CUT_MARGIN = 1.5;

/**
 * Whether a box ends at an edge of its window beyond which the image goes on: what it holds may be a part of an insect, and the window beside
 * may show the whole.
 */
export function isCut(box: BoundingBox, window: Window, scaled: Size, input: Size): boolean {
  return (
    (window.x > 0 && box.x1 <= CUT_MARGIN) ||
    (window.y > 0 && box.y1 <= CUT_MARGIN) ||
    (window.x + input.width < scaled.width && box.x2 >= input.width - CUT_MARGIN) ||
    (window.y + input.height < scaled.height && box.y2 >= input.height - CUT_MARGIN)
  );
}

/** So much of an insect is less than what sizes are rounded by, in pixels of the tile. */
const SLIVER = 2.5;

/**
 * Whether a box lies at an edge of its window beyond which the image goes on, and is so thin that it tells nothing: the window beside shows
 * the rest. Compared with the whole as another scale shows it, one of two rows of pixels once lay outside, and counted as an insect.
 */
export function isSliver(box: BoundingBox, window: Window, scaled: Size, input: Size): boolean {
  return (
    (window.x > 0 && box.x2 <= SLIVER) ||
    (window.y > 0 && box.y2 <= SLIVER) ||
    (window.x + input.width < scaled.width && box.x1 >= input.width - SLIVER) ||
    (window.y + input.height < scaled.height && box.y1 >= input.height - SLIVER)
  );
}

/**
 * The part of a box that is inside the image, at least one pixel wide and high, as the server and the people who draw it expect.
 * @returns undefined when nothing of it is inside, or when it is not a box.
 */
export function insideImage({ x1, y1, x2, y2 }: BoundingBox, image: Size): BoundingBox | undefined {
  const left = Math.min(x1, x2);
  const right = Math.max(x1, x2);
  const top = Math.min(y1, y2);
  const bottom = Math.max(y1, y2);
  // Written so that NaN is outside as well.
  if (!(right > 0 && bottom > 0 && left < image.width && top < image.height)) return undefined;
  const across = span(left, right, image.width);
  const down = span(top, bottom, image.height);
  return { x1: across.from, y1: down.from, x2: across.to, y2: down.to };
}

function span(from: number, to: number, limit: number): { readonly from: number; readonly to: number } {
  const start = Math.max(0, from);
  const end = Math.min(limit, to);
  if (end - start >= 1) return { from: start, to: end };
  const first = Math.min(Math.max(0, (start + end) / 2 - 0.5), Math.max(0, limit - 1));
  return { from: first, to: Math.min(limit, first + 1) };
}

/** What a classifier is shown of a box. */
export interface CropRule {
  /** Added on each side, as a part of the box's longer side. */
  readonly padding: number;
  /** Grown to a square around its centre, so that the insect keeps its proportions. */
  readonly square: boolean;
}

/** A crop: what is taken out of the image, in whole pixels, and where it lies in the input, in parts of the input's size. */
export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Size and place in the input, whole pixels. The rest is padding: it is there only where a square is larger than the image. */
  readonly target: Size & Window;
}

/** The crop of a box. One that would reach over an edge of the image is moved inside as far as there is room. */
export function cropOf(box: BoundingBox, { padding, square }: CropRule, image: Size, input: Size): Crop {
  const longer = Math.max(box.x2 - box.x1, box.y2 - box.y1);
  const grow = longer * padding * 2;
  const width = (square ? longer : box.x2 - box.x1) + grow;
  const height = (square ? longer : box.y2 - box.y1) + grow;
  const across = place((box.x1 + box.x2) / 2, width, image.width, input.width);
  const down = place((box.y1 + box.y2) / 2, height, image.height, input.height);
  return {
    left: across.from,
    top: down.from,
    width: across.length,
    height: down.length,
    target: { x: across.offset, y: down.offset, width: across.target, height: down.target },
  };
}

interface Placed {
  readonly from: number;
  readonly length: number;
  readonly offset: number;
  readonly target: number;
}

function place(centre: number, wanted: number, limit: number, input: number): Placed {
  const length = Math.max(1, Math.round(wanted));
  if (length > limit) {
    const target = Math.max(1, Math.round((input * limit) / length));
    return { from: 0, length: limit, offset: Math.floor((input - target) / 2), target };
  }
  const from = Math.min(Math.max(0, Math.round(centre - length / 2)), limit - length);
  return { from, length, offset: 0, target: input };
}
