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
export const CUT_COVERED = 0.5;

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
  const { boxes, classes, cut } = candidates;
  const grid = new Grid(boxes);
  const kept: number[] = [];
  for (const index of byScore(candidates)) {
    if (kept.length >= maxDetections) break;
    const isCut = cut?.[index] === 1;
    const class_ = classes?.[index];
    const gone = grid.some(index, (other) => {
      if (classes && classes[other] !== class_) return false;
      return overlaps(boxes, index, other, iou, isCut);
    });
    if (gone) continue;
    kept.push(index);
    grid.add(index);
  }
  return kept;
}

function overlaps(boxes: Float64Array, a: number, b: number, iou: number, aIsCut: boolean): boolean {
  const shared = intersection(boxes, a, b);
  if (shared <= 0) return false;
  const areaA = area(boxes, a);
  if (aIsCut && shared > CUT_COVERED * areaA) return true;
  return shared > iou * (areaA + area(boxes, b) - shared);
}

function intersection(boxes: Float64Array, a: number, b: number): number {
  const width = Math.min(at(boxes, a, 2), at(boxes, b, 2)) - Math.max(at(boxes, a, 0), at(boxes, b, 0));
  if (width <= 0) return 0;
  const height = Math.min(at(boxes, a, 3), at(boxes, b, 3)) - Math.max(at(boxes, a, 1), at(boxes, b, 1));
  return height <= 0 ? 0 : width * height;
}

function area(boxes: Float64Array, index: number): number {
  return (at(boxes, index, 2) - at(boxes, index, 0)) * (at(boxes, index, 3) - at(boxes, index, 1));
}

function at(boxes: Float64Array, index: number, side: number): number {
  return boxes[index * 4 + side] ?? 0;
}

/** Room for the index below the score in one number; 2 ** 21 boxes are more than any model gives. */
const INDEX_ROOM = 2 ** 21;

/**
 * Indexes by falling score, whole boxes first. Score and index make one number, because sorting numbers without a function of ours is
 * several times faster: the bits of positive floats are in the order of the floats.
 */
function byScore({ scores, cut }: Candidates): number[] {
  if (scores.length > INDEX_ROOM) throw new RangeError(`${scores.length} boxes are more than ${INDEX_ROOM}`);
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
  const keys = Float64Array.from(bits, (word, index) => index - word * INDEX_ROOM).sort();
  const order = Array.from(keys, (key) => ((key % INDEX_ROOM) + INDEX_ROOM) % INDEX_ROOM);
  if (!cut?.includes(1)) return order;
  return [...order.filter((index) => cut[index] !== 1), ...order.filter((index) => cut[index] === 1)];
}

/** Cells on a side at most: more would make boxes that cover all of them dear. */
const MAX_CELLS = 256;

/** Cells that a box touches: first and last column, first and last row. */
type Reach = readonly [number, number, number, number];

/** Finds boxes near a box: a box is listed in every cell that it touches. Cells are of the size of the boxes. */
class Grid {
  readonly #boxes: Float64Array;
  readonly #cells: (number[] | undefined)[];
  readonly #side: number;
  readonly #left: number;
  readonly #top: number;
  readonly #perX: number;
  readonly #perY: number;

  constructor(boxes: Float64Array) {
    let [left, top, right, bottom, lengths] = [Infinity, Infinity, -Infinity, -Infinity, 0];
    for (let at = 0; at < boxes.length; at += 4) {
      const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = [boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3]];
      left = Math.min(left, x1);
      top = Math.min(top, y1);
      right = Math.max(right, x2);
      bottom = Math.max(bottom, y2);
      lengths += x2 - x1 + (y2 - y1);
    }
    const extent = Math.max(Number.EPSILON, right - left, bottom - top);
    const boxLength = Math.max(Number.EPSILON, lengths / (boxes.length / 2));
    this.#boxes = boxes;
    this.#side = boxes.length === 0 ? 1 : Math.min(MAX_CELLS, Math.max(1, Math.ceil(extent / boxLength)));
    this.#cells = Array.from({ length: this.#side ** 2 });
    this.#left = left;
    this.#top = top;
    this.#perX = this.#side / Math.max(Number.EPSILON, right - left);
    this.#perY = this.#side / Math.max(Number.EPSILON, bottom - top);
  }

  add(index: number): void {
    const [x1, x2, y1, y2] = this.#reach(index);
    for (let row = y1; row <= y2; row += 1)
      for (let column = x1; column <= x2; column += 1)
        (this.#cells[row * this.#side + column] ??= []).push(index);
  }

  some(index: number, matches: (other: number) => boolean): boolean {
    const [x1, x2, y1, y2] = this.#reach(index);
    for (let row = y1; row <= y2; row += 1)
      for (let column = x1; column <= x2; column += 1) {
        const cell = this.#cells[row * this.#side + column];
        if (cell) for (const other of cell) if (matches(other)) return true;
      }
    return false;
  }

  #reach(index: number): Reach {
    return [
      this.#cell((at(this.#boxes, index, 0) - this.#left) * this.#perX),
      this.#cell((at(this.#boxes, index, 2) - this.#left) * this.#perX),
      this.#cell((at(this.#boxes, index, 1) - this.#top) * this.#perY),
      this.#cell((at(this.#boxes, index, 3) - this.#top) * this.#perY),
    ];
  }

  #cell(position: number): number {
    return Math.min(this.#side - 1, Math.max(0, Math.floor(position)));
  }
}
