import { axesOf, findComponents, selectComponents } from './components.js';
import { close, fillHoles } from './morphology.js';
import type { Component, GrayRaster } from './types.js';

/** A hole larger than this share of the image is sheet seen through a frame, not the inside of an insect. */
const MAX_HOLE_SHARE = 0.02;

/**
 * Turns classified pixels into solid silhouettes: drops speckles and grain lines, closes the gaps between the parts of one
 * insect, fills holes in patterned wings.
 *
 * @param gapPixels - Widest gap to close.
 */
export function silhouettes(levels: GrayRaster, difference: GrayRaster, gapPixels: number): GrayRaster {
  const parts = findComponents(levels, levels, difference);
  // Before closing, or the closing would tie the speckles of a dirty sheet into carpets.
  const clean = selectComponents(parts, levels, isSubstantial);
  const closed = close(clean, Math.max(1, Math.round(gapPixels / 2)));
  return fillHoles(closed, levels.width * levels.height * MAX_HOLE_SHARE);
}

/** False for sensor noise, sheet texture and the grain lines of painted wood, all of them one or two pixels thick. */
function isSubstantial(part: Component): boolean {
  return part.area >= 8 && part.strongArea >= 4 && axesOf(part.area, part.moments).width > 2.5;
}
