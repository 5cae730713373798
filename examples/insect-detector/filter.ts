import { axesOf, type Axes } from './components.js';
import type { Box, Component } from './types.js';

/** What the filter knows about a group besides its pixels. */
export interface Candidate {
  component: Component;
  /** Pixels that survive an erosion by one pixel: how solid the group is. */
  coreArea: number;
}

/** Size of the raster and limits in its pixels. */
export interface FilterContext {
  width: number;
  height: number;
  minLength: number;
  maxLength: number;
}

/** Why a group is not taken for an insect. */
export type Rejection =
  | 'too-small'
  | 'too-large'
  | 'border-strip'
  | 'too-faint'
  | 'too-thin'
  | 'hollow'
  | 'box-shaped'
  | 'round-fixing';

/** Shares of the long side at which the demands on small and on large groups apply; in between they are interpolated. */
const SMALL = 0.02;
const LARGE = 0.04;

/** Decides whether a group may be an insect; undefined means yes. */
export function rejectionOf(candidate: Candidate, context: FilterContext): Rejection | undefined {
  const { component, coreArea } = candidate;
  const axes = axesOf(component.area, component.moments);
  const longSide = Math.max(context.width, context.height);
  // Smaller than this, an insect may well look like a disk or a rectangle.
  const isLargeEnough = axes.length > 0.015 * longSide;
  const tests: readonly [Rejection, () => boolean][] = [
    [
      'too-small',
      () => axes.length < context.minLength || axes.width < context.minLength / 2 || coreArea < 12,
    ],
    ['too-large', () => isTooLarge(component.box, context)],
    ['border-strip', () => isBorderStrip(component.box, context)],
    ['too-faint', () => isTooFaint(component, axes.length / longSide)],
    ['too-thin', () => coreArea < requiredCore(axes.length / longSide) * component.area],
    ['hollow', () => isHollow(component, axes)],
    ['box-shaped', () => isLargeEnough && isFilledBox(component)],
    ['round-fixing', () => isLargeEnough && isDisk(component, context)],
  ];
  return tests.find(([, applies]) => applies())?.[0];
}

function isTooLarge(box: Box, { width, height, maxLength }: FilterContext): boolean {
  const boxWidth = box.x2 - box.x1;
  const boxHeight = box.y2 - box.y1;
  return Math.max(boxWidth, boxHeight) > maxLength || boxWidth > 0.9 * width || boxHeight > 0.9 * height;
}

/** Time stamps, sheet edges and frames hug the border: what reaches less far into the image shows too little to judge. */
function isBorderStrip(box: Box, { width, height }: FilterContext): boolean {
  const depth = 0.007 * Math.max(width, height);
  const atSide = (box.x1 <= 1 || box.x2 >= width - 1) && box.x2 - box.x1 < depth;
  const atTopOrBottom = (box.y1 <= 1 || box.y2 >= height - 1) && box.y2 - box.y1 < depth;
  return atSide || atTopOrBottom;
}

/** A small group must be dark to be told from dirt and texture; a large one may be a pale moth. */
function isTooFaint(component: Component, relativeLength: number): boolean {
  const strongShare = component.strongArea / component.area;
  const contrast = component.contrastSum / component.area;
  return strongShare < between(relativeLength, 0.35, 0.15) || contrast < between(relativeLength, 45, 32);
}

/** Stain outlines and scratches have no inside; a small insect has little of it at this resolution either. */
function requiredCore(relativeLength: number): number {
  return between(relativeLength, 0.25, 0.6);
}

function between(relativeLength: number, small: number, large: number): number {
  const position = Math.min(1, Math.max(0, (relativeLength - SMALL) / (LARGE - SMALL)));
  return small + (large - small) * position;
}

/**
 * An insect has its body in the middle. A bar of even thickness has a moment length of 2/√3 ≈ 1.155 times its real one;
 * beyond that the weight lies at the ends, as in scale cards, printed text and chains of stains.
 */
function isHollow(component: Component, axes: Axes): boolean {
  const { x1, y1, x2, y2 } = component.box;
  return axes.length > 1.16 * Math.hypot(x2 - x1, y2 - y1);
}

/** Cards, tape and blocks of text stand square to the camera and fill their boxes; an insect leaves the corners free. */
function isFilledBox({ box, area }: Component): boolean {
  return area > 0.9 * (box.x2 - box.x1) * (box.y2 - box.y1);
}

/**
 * Screw heads and pins: disks, whole or cut by the border of the image. Area and centre of mass must both be a disk's, or
 * half an oval insect at the border would pass for one.
 *
 * A round beetle of this size is lost with them.
 */
function isDisk({ box, area, moments }: Component, { width, height }: FilterContext): boolean {
  const long = Math.max(box.x2 - box.x1, box.y2 - box.y1);
  const short = Math.min(box.x2 - box.x1, box.y2 - box.y1);
  const isCut = box.x1 <= 1 || box.y1 <= 1 || box.x2 >= width - 1 || box.y2 >= height - 1;
  const radius = long / 2;
  if (short < radius || (!isCut && short < 0.93 * long)) return false;
  // A disk cut by a straight line, `beyondCenter` past its middle.
  const beyondCenter = Math.min(radius, short - radius);
  const halfChord = Math.sqrt(radius ** 2 - beyondCenter ** 2);
  const expectedArea = radius ** 2 * (Math.PI - Math.acos(beyondCenter / radius)) + beyondCenter * halfChord;
  if (Math.abs(area / expectedArea - 1) > 0.045) return false;
  // The centre of mass lies off the middle of the box by as much as the missing part demands.
  const expectedDepth = radius - ((2 / 3) * halfChord ** 3) / expectedArea;
  const centerX = moments.x / area + 0.5;
  const centerY = moments.y / area + 0.5;
  const isCutAtSide = box.x2 - box.x1 < box.y2 - box.y1;
  const depth = isCutAtSide
    ? fromApex(centerX, box.x1, box.x2, box.x1 <= 1)
    : fromApex(centerY, box.y1, box.y2, box.y1 <= 1);
  return Math.abs(depth - expectedDepth) < 0.06 * radius;
}

/** Distance of the centre of mass from the side of the box that is not cut off. */
function fromApex(center: number, start: number, end: number, isCutAtStart: boolean): number {
  return isCutAtStart ? end - center : center - start;
}
