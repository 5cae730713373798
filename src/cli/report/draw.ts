import sharp from 'sharp';
import { colorOf, type Box, type Detection } from './detection.js';
import { placeLabels, type PlacedLabel } from './label-layout.js';
import { escapeMarkup } from './markup.js';

/** Settings of a drawing. */
export interface DrawOptions {
  /** Long side of the result in pixels; never enlarged. Default: the size of the source image. */
  maxSide?: number;
  /** JPEG quality, 1–100. Default 82. */
  quality?: number;
  /** Labels that get colours of their own, in this order. */
  labels?: readonly string[];
}

/**
 * Draws numbered boxes on an image; the numbers are the positions in `detections`, from 1. Label and score are added
 * to boxes that are large enough to be looked at one by one, where they cover neither an insect nor another label.
 *
 * @returns A JPEG file.
 */
export async function drawBoxes(
  image: Uint8Array,
  detections: readonly Detection[],
  options: DrawOptions = {},
): Promise<Buffer> {
  const { width, height } = await sharp(image).metadata();
  const scale = Math.min(1, (options.maxSide ?? Infinity) / Math.max(width, height));
  // The overlay must have exactly the size of what it is laid on, which only the resized pixels tell.
  const { data, info } = await sharp(image)
    .resize({ width: Math.round(width * scale), height: Math.round(height * scale), fit: 'fill' })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const overlay = renderOverlay(
    detections,
    info.width,
    info.height,
    info.width / width,
    info.height / height,
    options.labels,
  );
  return sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } })
    .composite([{ input: Buffer.from(overlay) }])
    .jpeg({ quality: options.quality ?? 82 })
    .toBuffer();
}

function renderOverlay(
  detections: readonly Detection[],
  width: number,
  height: number,
  scaleX: number,
  scaleY: number,
  known: readonly string[] | undefined,
): string {
  const stroke = Math.max(2, Math.max(width, height) / 900);
  const fontSize = Math.max(11, Math.max(width, height) / 125);
  const boxes = detections.map(({ bbox }) => ({
    x1: bbox.x1 * scaleX,
    y1: bbox.y1 * scaleY,
    x2: bbox.x2 * scaleX,
    y2: bbox.y2 * scaleY,
  }));
  const labels = placeLabels(
    detections.map(({ label, score }, i) => ({
      box: boxes[i] ?? { x1: 0, y1: 0, x2: 0, y2: 0 },
      texts: [
        ...(isLarge(boxes[i], fontSize) ? [`${i + 1} ${label} ${Math.round(score * 100)}%`] : []),
        `${i + 1}`,
      ],
    })),
    { width, height, fontSize, gap: stroke * 2 },
  );
  const shapes = detections.map(({ label }, i) => {
    const box = boxes[i];
    const placed = labels[i];
    const color = colorOf(label, known);
    return box === undefined || placed === undefined
      ? ''
      : renderBox(box, stroke, color) + renderLabel(placed, fontSize, color);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join('')}</svg>`;
}

/** A long label beside a speck would be all that one sees. */
function isLarge(box: Box | undefined, fontSize: number): boolean {
  return box !== undefined && Math.max(box.x2 - box.x1, box.y2 - box.y1) > 2.5 * fontSize;
}

function renderBox(box: Box, stroke: number, color: string): string {
  const outer =
    `x="${(box.x1 - stroke).toFixed(1)}" y="${(box.y1 - stroke).toFixed(1)}" ` +
    `width="${(box.x2 - box.x1 + 2 * stroke).toFixed(1)}" height="${(box.y2 - box.y1 + 2 * stroke).toFixed(1)}"`;
  // A white rim keeps the box visible on a wing of its own colour.
  return (
    `<rect ${outer} fill="none" stroke="#fff" stroke-opacity="0.8" stroke-width="${(2 * stroke).toFixed(1)}"/>` +
    `<rect ${outer} fill="none" stroke="${color}" stroke-width="${stroke.toFixed(1)}"/>`
  );
}

function renderLabel({ box, text }: PlacedLabel, fontSize: number, color: string): string {
  return (
    `<rect x="${box.x1.toFixed(1)}" y="${box.y1.toFixed(1)}" width="${(box.x2 - box.x1).toFixed(1)}" ` +
    `height="${(box.y2 - box.y1).toFixed(1)}" rx="${(fontSize * 0.2).toFixed(1)}" fill="${color}"/>` +
    `<text x="${(box.x1 + fontSize * 0.35).toFixed(1)}" y="${(box.y2 - fontSize * 0.35).toFixed(1)}" ` +
    `font-family="DejaVu Sans, Arial, sans-serif" font-size="${fontSize.toFixed(1)}" fill="#fff">${escapeMarkup(text)}</text>`
  );
}
