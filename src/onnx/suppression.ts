import { sortedByDigits } from './radix-sort.js';

/** Boxes with scores, in columns: tens of thousands of objects would cost more than the suppression itself. */
export interface Candidates {
  /** x1, y1, x2, y2 of each box, in pixels of one frame. */
  readonly boxes: Float64Array;
  /** Greater than zero. */
  readonly scores: Float32Array;
  /** Boxes of different classes leave each other alone. Absent: all of one class. */
  readonly classes?: Int32Array | undefined;
  /** 1 for a box that may be a part of an insect, cut off at the edge of a tile. Absent: none is. */
  readonly cut?: Uint8Array | undefined;
}

/** Limits of {@link suppress}. */
export interface SuppressionLimits {
  /** Intersection over union above which the lower score of two boxes goes. */
  readonly iou: number;
  /** Boxes that are kept at most. */
  readonly maxDetections: number;
}

/** Part of a cut box that lies in a kept one, above which it is taken for a part of the same insect. */
const CUT_COVERED = 0.5;

/**
 * Greedy suppression: boxes by falling score, at equal scores in their own order, and each that overlaps a kept one goes.
 *
 * Whole boxes come before cut ones. A half of an insect has little overlap with the whole (by intersection over union), and may have the
 * better score: it goes when more than half of it lies in a box that is kept.
 *
 * A grid finds the kept boxes near a new one; comparing each with all takes over a second for 30,000.
 * @returns indexes of the kept boxes, in the order in which they were kept.
 */
export function suppress(candidates: Candidates, { iou, maxDetections }: SuppressionLimits): number[] {
  const order = byScore(candidates);
  const kept = new KeptBoxes(candidates, iou);
  for (const index of order) {
    if (kept.indexes.length >= maxDetections) break;
    if (!kept.explain(index)) kept.add(index);
  }
  return kept.indexes;
}

/** Indexes by falling score, whole boxes first. */
function byScore({ scores, cut }: Candidates): Uint32Array {
  // The bits of positive floats are in the order of the floats, and sorting numbers by their digits takes a fifth of the time of comparing.
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
  const falling = new Uint32Array(bits.length);
  for (let index = 0; index < bits.length; index += 1) falling[index] = ~(bits[index] ?? 0);
  const order = sortedByDigits(falling);
  if (!cut?.includes(1)) return order;
  const whole = order.filter((index) => cut[index] !== 1);
  const parts = order.filter((index) => cut[index] === 1);
  order.set(whole);
  order.set(parts, whole.length);
  return order;
}

/** Cells on a side at most: more would make boxes that cover all of them dear. */
const MAX_CELLS = 256;

/**
 * The boxes that are kept, in a grid: each is listed in every cell that it touches, and cells are of the size of the boxes. Lists are chains in
 * columns of numbers, because an array a cell costs more than the comparisons.
 */
class KeptBoxes {
  readonly indexes: number[] = [];
  readonly #candidates: Candidates;
  readonly #iou: number;
  readonly #side: number;
  readonly #left: number;
  readonly #top: number;
  readonly #perX: number;
  readonly #perY: number;
  /** By cell: its last link, 0 for none. */
  readonly #last: Int32Array;
  /** By link: the box, and the link before. */
  #box = new Int32Array(1024);
  #before = new Int32Array(1024);
  #links = 1;

  constructor(candidates: Candidates, iou: number) {
    const { boxes } = candidates;
    let [left, top, right, bottom, lengths] = [Infinity, Infinity, -Infinity, -Infinity, 0];
    for (let at = 0; at < boxes.length; at += 4) {
      const x1 = boxes[at] ?? 0;
      const y1 = boxes[at + 1] ?? 0;
      const x2 = boxes[at + 2] ?? 0;
      const y2 = boxes[at + 3] ?? 0;
      if (x1 < left) left = x1;
      if (y1 < top) top = y1;
      if (x2 > right) right = x2;
      if (y2 > bottom) bottom = y2;
      lengths += x2 - x1 + (y2 - y1);
    }
    const extent = Math.max(Number.EPSILON, right - left, bottom - top);
    const boxLength = Math.max(Number.EPSILON, lengths / (boxes.length / 2));
    this.#candidates = candidates;
    this.#iou = iou;
    this.#side = boxes.length === 0 ? 1 : Math.min(MAX_CELLS, Math.max(1, Math.ceil(extent / boxLength)));
    this.#last = new Int32Array(this.#side ** 2);
    this.#left = left;
    this.#top = top;
    this.#perX = this.#side / Math.max(Number.EPSILON, right - left);
    this.#perY = this.#side / Math.max(Number.EPSILON, bottom - top);
  }

  add(index: number): void {
    const { boxes } = this.#candidates;
    const firstColumn = this.#column(boxes[index * 4] ?? 0);
    const lastColumn = this.#column(boxes[index * 4 + 2] ?? 0);
    const lastRow = this.#row(boxes[index * 4 + 3] ?? 0);
    this.indexes.push(index);
    for (let row = this.#row(boxes[index * 4 + 1] ?? 0); row <= lastRow; row += 1)
      for (let column = firstColumn; column <= lastColumn; column += 1) {
        const cell = row * this.#side + column;
        const link = this.#link();
        this.#box[link] = index;
        this.#before[link] = this.#last[cell] ?? 0;
        this.#last[cell] = link;
      }
  }

  /** Whether a kept box overlaps this one so much that both are the same insect. */
  explain(index: number): boolean {
    const { boxes } = this.#candidates;
    const firstColumn = this.#column(boxes[index * 4] ?? 0);
    const lastColumn = this.#column(boxes[index * 4 + 2] ?? 0);
    const lastRow = this.#row(boxes[index * 4 + 3] ?? 0);
    for (let row = this.#row(boxes[index * 4 + 1] ?? 0); row <= lastRow; row += 1)
      for (let column = firstColumn; column <= lastColumn; column += 1)
        if (this.#explainsIn(row * this.#side + column, index)) return true;
    return false;
  }

  #explainsIn(cell: number, index: number): boolean {
    const { boxes, classes, cut } = this.#candidates;
    const x1 = boxes[index * 4] ?? 0;
    const y1 = boxes[index * 4 + 1] ?? 0;
    const x2 = boxes[index * 4 + 2] ?? 0;
    const y2 = boxes[index * 4 + 3] ?? 0;
    const area = (x2 - x1) * (y2 - y1);
    const covered = cut?.[index] === 1 ? CUT_COVERED * area : Infinity;
    for (let link = this.#last[cell] ?? 0; link !== 0; link = this.#before[link] ?? 0) {
      const other = this.#box[link] ?? 0;
      const left = boxes[other * 4] ?? 0;
      const right = boxes[other * 4 + 2] ?? 0;
      const width = (x2 < right ? x2 : right) - (x1 > left ? x1 : left);
      if (width <= 0) continue;
      const top = boxes[other * 4 + 1] ?? 0;
      const bottom = boxes[other * 4 + 3] ?? 0;
      const height = (y2 < bottom ? y2 : bottom) - (y1 > top ? y1 : top);
      if (height <= 0 || (classes && classes[other] !== classes[index])) continue;
      const shared = width * height;
      if (shared > covered || shared > this.#iou * (area + (right - left) * (bottom - top) - shared))
        return true;
    }
    return false;
  }

  #link(): number {
    if (this.#links === this.#box.length) {
      this.#box = grown(this.#box);
      this.#before = grown(this.#before);
    }
    this.#links += 1;
    return this.#links - 1;
  }

  #column(x: number): number {
    return Math.min(this.#side - 1, Math.max(0, Math.floor((x - this.#left) * this.#perX)));
  }

  #row(y: number): number {
    return Math.min(this.#side - 1, Math.max(0, Math.floor((y - this.#top) * this.#perY)));
  }
}

function grown(column: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(column.length * 2);
  larger.set(column);
  return larger;
}
