import type { Component, GrayRaster, Moments } from './types.js';

/** The groups of a mask, and for every pixel which group it belongs to. */
export interface ComponentMap {
  components: Component[];
  /** Per pixel: 0 outside, otherwise the index in `components` plus one. */
  labels: Int32Array;
}

/**
 * Groups the pixels of `mask` that touch each other (also diagonally) and measures every group.
 *
 * @param mask - 0 is outside.
 * @param levels - 2 marks a clear difference from the sheet (see `classifyPixels`).
 * @param difference - Difference from the sheet, 0–255.
 */
export function findComponents(mask: GrayRaster, levels: GrayRaster, difference: GrayRaster): ComponentMap {
  const { width, data } = mask;
  const labels = new Int32Array(data.length);
  const components: Component[] = [];
  const queue: number[] = [];
  for (let start = 0; start < data.length; start += 1) {
    if (data[start] === 0 || labels[start] !== 0) continue;
    const component = emptyComponent();
    components.push(component);
    flood(mask, labels, components.length, start, queue);
    for (const index of queue) {
      const x = index % width;
      add(component, x, (index - x) / width, difference.data[index] ?? 0, levels.data[index] === 2);
    }
  }
  return { components, labels };
}

/** Labels the group that holds `start` and leaves the indexes of its pixels in `queue`. */
function flood(mask: GrayRaster, labels: Int32Array, label: number, start: number, queue: number[]): void {
  const { width, height, data } = mask;
  queue.length = 0;
  queue.push(start);
  labels[start] = label;
  for (let head = 0; head < queue.length; head += 1) {
    const index = queue[head] ?? 0;
    const x = index % width;
    const y = (index - x) / width;
    const lastX = Math.min(width - 1, x + 1);
    const lastY = Math.min(height - 1, y + 1);
    for (let ny = Math.max(0, y - 1); ny <= lastY; ny += 1) {
      for (let nx = Math.max(0, x - 1); nx <= lastX; nx += 1) {
        const neighbour = ny * width + nx;
        if (data[neighbour] === 0 || labels[neighbour] !== 0) continue;
        labels[neighbour] = label;
        queue.push(neighbour);
      }
    }
  }
}

/** Measures groups that are labelled already; labels that no pixel carries are left out and the rest is renumbered. */
export function measureLabels(
  labels: Int32Array,
  width: number,
  levels: GrayRaster,
  difference: GrayRaster,
): ComponentMap {
  const components: Component[] = [];
  const renumbered = new Map<number, number>();
  const dense = labels.map((label, i) => {
    if (label === 0) return 0;
    let number = renumbered.get(label);
    if (number === undefined) {
      components.push(emptyComponent());
      number = components.length;
      renumbered.set(label, number);
    }
    const x = i % width;
    const component = components[number - 1];
    if (component) add(component, x, (i - x) / width, difference.data[i] ?? 0, levels.data[i] === 2);
    return number;
  });
  return { components, labels: dense };
}

/** The mask of the groups that `keep` accepts. */
export function selectComponents(
  map: ComponentMap,
  size: { width: number; height: number },
  keep: (component: Component) => boolean,
): GrayRaster {
  const kept = new Uint8Array(map.components.length + 1);
  map.components.forEach((component, i) => {
    kept[i + 1] = keep(component) ? 1 : 0;
  });
  // A plain loop: `Uint8Array.from` with a callback walks an iterator, which costs 150 ms at this size.
  const data = new Uint8Array(map.labels.length);
  for (let i = 0; i < data.length; i += 1) data[i] = kept[map.labels[i] ?? 0] ?? 0;
  return { width: size.width, height: size.height, data };
}

function emptyComponent(): Component {
  return {
    box: { x1: Infinity, y1: Infinity, x2: -Infinity, y2: -Infinity },
    area: 0,
    strongArea: 0,
    contrastSum: 0,
    peakContrast: 0,
    moments: { x: 0, y: 0, xx: 0, yy: 0, xy: 0 },
  };
}

function add(component: Component, x: number, y: number, difference: number, strong: boolean): void {
  const { box, moments } = component;
  box.x1 = Math.min(box.x1, x);
  box.y1 = Math.min(box.y1, y);
  box.x2 = Math.max(box.x2, x + 1);
  box.y2 = Math.max(box.y2, y + 1);
  component.area += 1;
  if (strong) component.strongArea += 1;
  component.contrastSum += difference;
  component.peakContrast = Math.max(component.peakContrast, difference);
  moments.x += x;
  moments.y += y;
  moments.xx += x * x;
  moments.yy += y * y;
  moments.xy += x * y;
}

/** Axes of the ellipse that has the same area moments as the group. */
export interface Axes {
  /** Full length of the long axis in pixels. */
  length: number;
  /** Full length of the short axis in pixels. */
  width: number;
}

/** Measures how long and how wide a group is, whatever its orientation. */
export function axesOf(area: number, moments: Moments): Axes {
  const meanX = moments.x / area;
  const meanY = moments.y / area;
  // A pixel is a square, not a point: 1/12 is the variance of a uniform unit interval.
  const varX = moments.xx / area - meanX * meanX + 1 / 12;
  const varY = moments.yy / area - meanY * meanY + 1 / 12;
  const covariance = moments.xy / area - meanX * meanY;
  const half = (varX + varY) / 2;
  const root = Math.sqrt(((varX - varY) / 2) ** 2 + covariance ** 2);
  return { length: 4 * Math.sqrt(half + root), width: 4 * Math.sqrt(Math.max(1 / 12, half - root)) };
}
