import type { Box } from '../../../examples/insect-detector/types.js';

/** Intersection over union of two boxes: 1 is the same box, 0 is apart. */
export function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (areaOf(a) + areaOf(b) - shared);
}

function areaOf(box: Box): number {
  return (box.x2 - box.x1) * (box.y2 - box.y1);
}

export function contains(box: Box, x: number, y: number): boolean {
  return x >= box.x1 && x <= box.x2 && y >= box.y1 && y <= box.y2;
}

export function longSideOf(box: Box): number {
  return Math.max(box.x2 - box.x1, box.y2 - box.y1);
}
