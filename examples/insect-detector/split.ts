import { findComponents, measureLabels, type ComponentMap } from './components.js';
import { open } from './morphology.js';
import type { GrayRaster } from './types.js';

/** A body must hold at least this share of the joined silhouette: a leg or a feathered antenna is no insect of its own. */
const MIN_BODY_SHARE = 0.04;

/**
 * Finds the groups of the mask and takes apart those in which insects merely touch with legs or antennae.
 *
 * An opening with `radius` cuts what is thin; if two or more bodies remain, every pixel goes to the body it reaches first
 * on a way inside the mask.
 *
 * @param minBodyArea - Pixels a body must have.
 */
export function splitTouching(
  mask: GrayRaster,
  levels: GrayRaster,
  difference: GrayRaster,
  cut: { radius: number; minBodyArea: number },
): ComponentMap {
  const whole = findComponents(mask, levels, difference);
  const bodies = findComponents(open(mask, cut.radius), levels, difference);
  const owners = ownersOf(bodies.labels, whole.labels, bodies.components.length);
  const isBody = bodies.components.map((body, i) => {
    const silhouette = whole.components[(owners[i + 1] ?? 0) - 1];
    return (
      silhouette !== undefined && body.area >= Math.max(cut.minBodyArea, MIN_BODY_SHARE * silhouette.area)
    );
  });
  const bodyCounts = new Map<number, number>();
  isBody.forEach((counts, i) => {
    const owner = owners[i + 1] ?? 0;
    if (counts) bodyCounts.set(owner, (bodyCounts.get(owner) ?? 0) + 1);
  });
  const isCrowd = (label: number): boolean => (bodyCounts.get(label) ?? 0) > 1;
  const labels = new Int32Array(whole.labels.length);
  const seeds: number[] = [];
  whole.labels.forEach((label, i) => {
    if (label === 0) return;
    if (!isCrowd(label)) labels[i] = label;
    const body = bodies.labels[i] ?? 0;
    if (!isCrowd(label) || body === 0 || isBody[body - 1] !== true) return;
    labels[i] = whole.components.length + body;
    seeds.push(i);
  });
  grow(labels, whole.labels, mask, seeds);
  return measureLabels(labels, mask.width, levels, difference);
}

/** For each body, the label of the silhouette it lies in. */
function ownersOf(bodyLabels: Int32Array, wholeLabels: Int32Array, count: number): Int32Array {
  const owners = new Int32Array(count + 1);
  bodyLabels.forEach((body, i) => {
    if (body !== 0) owners[body] = wholeLabels[i] ?? 0;
  });
  return owners;
}

/** Spreads the labels of the seeds through their silhouettes, all at the same speed. */
function grow(labels: Int32Array, whole: Int32Array, { width, height }: GrayRaster, queue: number[]): void {
  const visit = (from: number, to: number): void => {
    if (labels[to] !== 0 || whole[to] !== whole[from]) return;
    labels[to] = labels[from] ?? 0;
    queue.push(to);
  };
  for (let head = 0; head < queue.length; head += 1) {
    const index = queue[head] ?? 0;
    const x = index % width;
    if (x > 0) visit(index, index - 1);
    if (x < width - 1) visit(index, index + 1);
    if (index >= width) visit(index, index - width);
    if (index < width * (height - 1)) visit(index, index + width);
  }
}
