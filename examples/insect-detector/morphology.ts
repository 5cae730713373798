import type { GrayRaster } from './types.js';

/**
 * Grows the mask by a square of `radius` pixels on each side (0 in the result is outside, 1 inside).
 *
 * Two passes with a running distance, so the cost does not depend on the radius.
 */
export function dilate(mask: GrayRaster, radius: number): GrayRaster {
  return spread(spread(mask, radius, true, true), radius, true, false);
}

/** Shrinks the mask by a square of `radius` pixels on each side; the border of the image does not eat into it. */
export function erode(mask: GrayRaster, radius: number): GrayRaster {
  return spread(spread(mask, radius, false, true), radius, false, false);
}

/** Removes what is thinner than `2 × radius + 1` pixels: grain lines, antennae, single speckles. */
export function open(mask: GrayRaster, radius: number): GrayRaster {
  return dilate(erode(mask, radius), radius);
}

/** Closes gaps up to `2 × radius` pixels wide, for instance between a leg and its body. */
export function close(mask: GrayRaster, radius: number): GrayRaster {
  return erode(dilate(mask, radius), radius);
}

/**
 * One direction of a dilation (`value` true) or erosion (false): a pixel takes the wanted value if a pixel that has it
 * lies within `radius` along the line.
 */
function spread(mask: GrayRaster, radius: number, value: boolean, horizontal: boolean): GrayRaster {
  const { width, height, data } = mask;
  const out = new Uint8Array(width * height);
  const lines = horizontal ? height : width;
  const length = horizontal ? width : height;
  const step = horizontal ? 1 : width;
  const wanted = value ? 1 : 0;
  for (let line = 0; line < lines; line += 1) {
    const start = horizontal ? line * width : line;
    let last = -radius - 1;
    for (let i = 0, at = start; i < length; i += 1, at += step) {
      const inside = data[at] === 0 ? 0 : 1;
      if (inside === wanted) last = i;
      out[at] = i - last <= radius ? wanted : inside;
    }
    last = length + radius;
    for (let i = length - 1, at = start + (length - 1) * step; i >= 0; i -= 1, at -= step) {
      if ((data[at] === 0 ? 0 : 1) === wanted) last = i;
      if (last - i <= radius) out[at] = wanted;
    }
  }
  return { width, height, data: out };
}

/**
 * Fills the holes of the mask: sheet that cannot be reached from the border of the image without crossing the mask.
 *
 * A hole larger than `maxArea` stays open, or a frame around the sheet would turn the whole sheet into one insect.
 */
export function fillHoles(mask: GrayRaster, maxArea: number): GrayRaster {
  const { width, height } = mask;
  const out = mask.data.map((value) => (value === 0 ? 0 : 1));
  const seen = out.slice();
  const queue = new Int32Array(width * height);
  for (let start = 0; start < out.length; start += 1) {
    if (seen[start] !== 0) continue;
    const hole = floodHole(seen, width, height, start, queue);
    if (hole.open || hole.size > maxArea) continue;
    for (let i = 0; i < hole.size; i += 1) out[queue[i] ?? 0] = 1;
  }
  return { width, height, data: out };
}

/** Collects one region of sheet into `queue`; `open` tells that it reaches the border of the image. */
function floodHole(
  seen: Uint8Array,
  width: number,
  height: number,
  start: number,
  queue: Int32Array,
): { size: number; open: boolean } {
  let size = 0;
  let open = false;
  const visit = (index: number): void => {
    if (seen[index] !== 0) return;
    seen[index] = 1;
    queue[size] = index;
    size += 1;
  };
  visit(start);
  for (let head = 0; head < size; head += 1) {
    const index = queue[head] ?? 0;
    const x = index % width;
    if (x > 0) visit(index - 1);
    if (x < width - 1) visit(index + 1);
    if (index >= width) visit(index - width);
    if (index < width * (height - 1)) visit(index + width);
    if (x === 0 || x === width - 1 || index < width || index >= width * (height - 1)) open = true;
  }
  return { size, open };
}
