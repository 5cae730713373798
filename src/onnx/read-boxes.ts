import { activate, argmax, sigmoid } from './activation.js';
import type { Size } from './geometry.js';
import type { Layout } from './layouts.js';
import { numbersOf, type Tensor } from './tensors.js';

/** A box as a model gave it, in pixels of the model's input. */
export type BoxSink = (x1: number, y1: number, x2: number, y2: number, score: number, class_: number) => void;

/** Outputs as numbers, made once for all the images of a run. */
export type Outputs = ReadonlyMap<
  string,
  { readonly dims: readonly number[]; readonly data: ArrayLike<number> }
>;

export function outputsOf(tensors: readonly Tensor[]): Outputs {
  return new Map(
    tensors.map((tensor) => [tensor.name, { dims: tensor.dims, data: numbersOf(tensor) }] as const),
  );
}

/**
 * Gives every box of one image with a score of at least `confidence` to the sink. Each has one class, its best.
 * @param slot - which image of the batch.
 * @param input - size of the model's input, for layouts whose boxes are parts of it.
 */
export function readBoxes(
  layout: Layout,
  outputs: Outputs,
  slot: number,
  { confidence, input }: { readonly confidence: number; readonly input: Size },
  sink: BoxSink,
): void {
  const rows = (name: string): Rows => new Rows(outputs, name, slot);
  switch (layout.kind) {
    case 'yolov8':
      readYolov8(rows(layout.output), confidence, sink);
      break;
    case 'yolov5':
      readYolov5(rows(layout.output), confidence, sink);
      break;
    case 'end-to-end':
      readEndToEnd(rows(layout.output), confidence, sink);
      break;
    case 'detr':
    case 'rt-detr':
      readDetr(rows(layout.logits), rows(layout.boxes), layout, { confidence, input }, sink);
      break;
    case 'torchvision':
      readTorchvision(
        rows(layout.boxes),
        rows(layout.labels),
        rows(layout.scores),
        layout,
        outputs,
        confidence,
        sink,
      );
      break;
  }
}

/** One image's part of an output. */
class Rows {
  readonly data: ArrayLike<number>;
  readonly start: number;
  readonly rows: number;
  readonly columns: number;

  constructor(outputs: Outputs, name: string, slot: number) {
    const output = outputs.get(name);
    const dims = output?.dims ?? [];
    this.data = output?.data ?? [];
    this.rows = dims.at(-2) ?? 0;
    this.columns = dims.at(-1) ?? 0;
    this.start = slot * this.rows * this.columns;
  }

  at(row: number, column: number): number {
    return this.data[this.start + row * this.columns + column] ?? Number.NaN;
  }
}

function centred(sink: BoxSink, x: number, y: number, width: number, height: number): SinkRest {
  return (score, class_) => {
    sink(x - width / 2, y - height / 2, x + width / 2, y + height / 2, score, class_);
  };
}
type SinkRest = (score: number, class_: number) => void;

function readYolov8(output: Rows, confidence: number, sink: BoxSink): void {
  const { data, start, columns } = output;
  const best = new Float32Array(columns);
  const classes = new Int32Array(columns);
  // Class by class, as the numbers lie in memory: box by box, each read would be 8,400 numbers from the last.
  for (let row = 4; row < output.rows; row += 1) {
    const from = start + row * columns;
    for (let column = 0; column < columns; column += 1) {
      const score = data[from + column] ?? 0;
      if (score > (best[column] ?? 0)) {
        best[column] = score;
        classes[column] = row - 4;
      }
    }
  }
  for (let column = 0; column < columns; column += 1) {
    const score = best[column] ?? 0;
    if (score > 0 && score >= confidence)
      centred(
        sink,
        output.at(0, column),
        output.at(1, column),
        output.at(2, column),
        output.at(3, column),
      )(score, classes[column] ?? 0);
  }
}

function readYolov5(output: Rows, confidence: number, sink: BoxSink): void {
  for (let row = 0; row < output.rows; row += 1) {
    const objectness = output.at(row, 4);
    // A class adds a factor of 1 at most.
    if (!(objectness >= confidence)) continue;
    let class_ = 0;
    let best = Number.NEGATIVE_INFINITY;
    for (let column = 5; column < output.columns; column += 1) {
      const score = output.at(row, column);
      if (score > best) {
        best = score;
        class_ = column - 5;
      }
    }
    const score = objectness * best;
    if (score > 0 && score >= confidence)
      centred(
        sink,
        output.at(row, 0),
        output.at(row, 1),
        output.at(row, 2),
        output.at(row, 3),
      )(score, class_);
  }
}

function readEndToEnd(output: Rows, confidence: number, sink: BoxSink): void {
  for (let row = 0; row < output.rows; row += 1) {
    const score = output.at(row, 4);
    // Unused rows are zeros.
    if (score > 0 && score >= confidence)
      sink(
        output.at(row, 0),
        output.at(row, 1),
        output.at(row, 2),
        output.at(row, 3),
        score,
        output.at(row, 5),
      );
  }
}

function readDetr(
  logits: Rows,
  boxes: Rows,
  { kind, classes = 0 }: Layout,
  { confidence, input }: { readonly confidence: number; readonly input: Size },
  sink: BoxSink,
): void {
  for (let row = 0; row < logits.rows; row += 1) {
    const outputs = Array.from({ length: logits.columns }, (_, column) => logits.at(row, column));
    const scores = kind === 'detr' ? activate(outputs, 'softmax').slice(0, classes) : outputs;
    const class_ = argmax(scores);
    const best = scores[class_] ?? Number.NaN;
    const score = kind === 'detr' ? best : sigmoid(best);
    if (score > 0 && score >= confidence)
      centred(
        sink,
        boxes.at(row, 0) * input.width,
        boxes.at(row, 1) * input.height,
        boxes.at(row, 2) * input.width,
        boxes.at(row, 3) * input.height,
      )(score, class_);
  }
}

function readTorchvision(
  boxes: Rows,
  labels: Rows,
  scores: Rows,
  layout: Layout & { kind: 'torchvision' },
  outputs: Outputs,
  confidence: number,
  sink: BoxSink,
): void {
  // Lists without a batch in front have one dimension, and their `start` counts from a row that is not there.
  const batched = (outputs.get(layout.boxes)?.dims.length ?? 0) === 3;
  const first = batched ? (boxes.start / 4) | 0 : 0;
  for (let row = 0; row < boxes.rows; row += 1) {
    const score = scores.data[first + row] ?? Number.NaN;
    if (score > 0 && score >= confidence)
      sink(
        boxes.at(row, 0),
        boxes.at(row, 1),
        boxes.at(row, 2),
        boxes.at(row, 3),
        score,
        labels.data[first + row] ?? 0,
      );
  }
}
