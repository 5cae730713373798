import type { Candidate } from './filter.js';
import type { Box, Component } from './types.js';

/** A fragment lies this far inside the box of the insect it belongs to … */
const MIN_SHARE_INSIDE = 0.85;
/** … and is small beside it; two insects of similar size may well have overlapping boxes. */
const MAX_AREA_SHARE = 0.2;

/**
 * Joins fragments (a wing behind transparent veins, a foot) with the larger group whose box holds them.
 *
 * Transparent wings leave gaps that no closing bridges; without this a lacewing counts as several insects.
 */
export function mergeFragments(candidates: readonly Candidate[]): Candidate[] {
  const merged: Candidate[] = [];
  for (const candidate of [...candidates].sort((a, b) => b.component.area - a.component.area)) {
    const host = merged.findIndex((larger) => isFragmentOf(candidate.component, larger.component));
    const larger = merged[host];
    if (larger === undefined) merged.push(candidate);
    else merged[host] = joinCandidates(larger, candidate);
  }
  return merged;
}

function isFragmentOf(small: Component, large: Component): boolean {
  if (small.area > MAX_AREA_SHARE * large.area) return false;
  const width = Math.min(small.box.x2, large.box.x2) - Math.max(small.box.x1, large.box.x1);
  const height = Math.min(small.box.y2, large.box.y2) - Math.max(small.box.y1, large.box.y1);
  const boxArea = (small.box.x2 - small.box.x1) * (small.box.y2 - small.box.y1);
  return width > 0 && height > 0 && width * height >= MIN_SHARE_INSIDE * boxArea;
}

function joinCandidates(a: Candidate, b: Candidate): Candidate {
  return { component: joinComponents(a.component, b.component), coreArea: a.coreArea + b.coreArea };
}

function joinComponents(a: Component, b: Component): Component {
  return {
    box: joinBoxes(a.box, b.box),
    area: a.area + b.area,
    strongArea: a.strongArea + b.strongArea,
    contrastSum: a.contrastSum + b.contrastSum,
    peakContrast: Math.max(a.peakContrast, b.peakContrast),
    moments: {
      x: a.moments.x + b.moments.x,
      y: a.moments.y + b.moments.y,
      xx: a.moments.xx + b.moments.xx,
      yy: a.moments.yy + b.moments.yy,
      xy: a.moments.xy + b.moments.xy,
    },
  };
}

function joinBoxes(a: Box, b: Box): Box {
  return {
    x1: Math.min(a.x1, b.x1),
    y1: Math.min(a.y1, b.y1),
    x2: Math.max(a.x2, b.x2),
    y2: Math.max(a.y2, b.y2),
  };
}
