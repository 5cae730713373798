import { estimateBackground } from './background.js';
import { axesOf, type ComponentMap } from './components.js';
import { decodeImage, type DecodedImage } from './decode.js';
import { classifyPixels, differenceFrom, measureNoise } from './difference.js';
import { rejectionOf, type Candidate } from './filter.js';
import { mergeFragments } from './merge.js';
import { erode } from './morphology.js';
import { resolveDetectOptions, type DetectOptions, type ResolvedDetectOptions } from './options.js';
import { silhouettes } from './segment.js';
import { splitTouching } from './split.js';
import type { Blob, Component, GrayRaster, RgbRaster } from './types.js';

export type { DetectOptions } from './options.js';
export type { Blob, Box } from './types.js';
export { ImageDecodeError } from './decode.js';

/** What the detector found on one image. */
export interface DetectionResult {
  /** Width of the source image in pixels. */
  width: number;
  /** Height of the source image in pixels. */
  height: number;
  /** Insect candidates, largest first. */
  blobs: Blob[];
}

/** Tiles of the background grid along the long side. */
const TILES = 64;

/**
 * Finds insects on a light sheet: estimates the empty sheet, takes what differs from it, cleans the silhouettes, and keeps
 * those that could be an insect. It knows nothing about insects beyond that, so dirt of an insect's size is found too.
 *
 * @param image - A whole JPEG, PNG, WebP, … file.
 * @returns Boxes in pixels of the source image as stored (EXIF orientation not applied), whatever size was decoded.
 * @throws ImageDecodeError when the bytes are not a whole image; RangeError when an option makes no sense.
 */
export async function detectInsects(
  image: Uint8Array,
  options: DetectOptions = {},
): Promise<DetectionResult> {
  const resolved = resolveDetectOptions(options);
  const decoded = await decodeImage(image, resolved.workingSize);
  const blobs = findCandidates(decoded.raster, resolved)
    .map(({ component }) => toBlob(component, decoded))
    .sort((a, b) => b.areaPixels - a.areaPixels);
  return { width: decoded.sourceWidth, height: decoded.sourceHeight, blobs };
}

/** The pure part: from pixels to the groups that may be insects, in pixels of the raster. */
export function findCandidates(raster: RgbRaster, options: ResolvedDetectOptions): Candidate[] {
  const { width, height } = raster;
  const longSide = Math.max(width, height);
  const background = estimateBackground(raster, Math.max(8, Math.round(longSide / TILES)));
  const difference = differenceFrom(raster, background);
  const noise = measureNoise(difference, background);
  const levels = classifyPixels(difference, noise, options.weak, options.strong);
  const mask = silhouettes(levels, difference, options.gap * longSide);
  const cutRadius = Math.max(1, Math.round(longSide * 0.0015));
  const groups = splitTouching(mask, levels, difference, {
    radius: cutRadius,
    minBodyArea: 3 * (2 * cutRadius + 1) ** 2,
  });
  const cores = coreAreas(groups, mask);
  const limits = {
    width,
    height,
    minLength: options.minLength * longSide,
    maxLength: options.maxLength * longSide,
  };
  const accepted = groups.components
    .map((component, i) => ({ component, coreArea: cores[i + 1] ?? 0 }))
    .filter((candidate) => rejectionOf(candidate, limits) === undefined);
  return mergeFragments(accepted);
}

function coreAreas({ labels, components }: ComponentMap, mask: GrayRaster): Int32Array {
  const areas = new Int32Array(components.length + 1);
  const core = erode(mask, 1).data;
  for (let i = 0; i < core.length; i += 1) {
    if (core[i] === 0) continue;
    const label = labels[i] ?? 0;
    areas[label] = (areas[label] ?? 0) + 1;
  }
  return areas;
}

function toBlob(component: Component, { raster, sourceWidth, sourceHeight }: DecodedImage): Blob {
  // Both sides are rounded separately when an image is shrunk, so each axis has its own scale.
  const scaleX = sourceWidth / raster.width;
  const scaleY = sourceHeight / raster.height;
  const scale = Math.sqrt(scaleX * scaleY);
  const { box, area, moments } = component;
  const axes = axesOf(area, moments);
  return {
    bbox: { x1: box.x1 * scaleX, y1: box.y1 * scaleY, x2: box.x2 * scaleX, y2: box.y2 * scaleY },
    areaPixels: area * scaleX * scaleY,
    contrast: component.contrastSum / area,
    peakContrast: component.peakContrast,
    lengthPixels: axes.length * scale,
    widthPixels: axes.width * scale,
    elongation: axes.length / axes.width,
    solidity: area / ((Math.PI / 4) * axes.length * axes.width),
    relativeLength: axes.length / Math.max(raster.width, raster.height),
    touchesBorder: box.x1 <= 0 || box.y1 <= 0 || box.x2 >= raster.width || box.y2 >= raster.height,
  };
}
