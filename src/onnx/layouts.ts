import type { Size } from './geometry.js';
import { shapeText, tensorsText, type Tensor } from './tensors.js';

/**
 * How a detector gives its boxes:
 * - `yolov8`: `[1, 4 + classes, boxes]`, centre and size in pixels, then a score a class (YOLOv8 to 12);
 * - `yolov5`: `[1, boxes, 5 + classes]`, centre and size in pixels, objectness, then a score a class (YOLOv5, v7);
 * - `end-to-end`: `[1, boxes, 6]`, corners in pixels, score, class; suppression happened inside the model;
 * - `detr`: `logits` with one class more than there are labels (nothing), and `boxes` in parts of the image; a softmax makes the scores;
 * - `rt-detr`: the same with as many classes as labels; a sigmoid makes the scores;
 * - `torchvision`: `boxes`, `labels` and `scores`, corners in pixels.
 */
export const LAYOUTS = ['yolov8', 'yolov5', 'end-to-end', 'detr', 'rt-detr', 'torchvision'] as const;
export type LayoutKind = (typeof LAYOUTS)[number];

/** A layout, with the names of the outputs that hold it. `classes` is undefined where the outputs do not tell. */
export type Layout =
  | { readonly kind: 'yolov8' | 'yolov5'; readonly output: string; readonly classes: number }
  | { readonly kind: 'end-to-end'; readonly output: string; readonly classes?: undefined }
  | {
      readonly kind: 'detr' | 'rt-detr';
      readonly logits: string;
      readonly boxes: string;
      readonly classes: number;
    }
  | {
      readonly kind: 'torchvision';
      readonly boxes: string;
      readonly labels: string;
      readonly scores: string;
      readonly classes?: undefined;
    };

/** What is known of a detector beside its outputs. */
export interface LayoutHints {
  readonly wanted: LayoutKind | 'auto';
  /** Name of the output to read, of models with several of the same shape. */
  readonly outputName?: string | undefined;
  /** How many labels it has; undefined if they are not given. */
  readonly labels: number | undefined;
  readonly input: Size;
}

/** The layout, or in `problem` what does not fit and what to write in the description. */
export type LayoutAnswer =
  { readonly layout: Layout; readonly problem?: undefined } | { readonly problem: string };

/**
 * Tells a layout from the outputs of a first run, by their names, shapes and types. Nothing is guessed: where several layouts fit, or the
 * number of classes could be another, the answer asks for what is missing. A wrong guess would give boxes that look almost right.
 */
export function tellLayout(outputs: readonly Tensor[], hints: LayoutHints): LayoutAnswer {
  const { wanted, labels } = hints;
  const found = `Its outputs are ${tensorsText(outputs)}`;
  const known = labels === undefined ? 'no labels' : `${labels} label${labels === 1 ? '' : 's'}`;
  const sets = setsOf(outputs);
  const singles = singlesOf(outputs, hints);
  const fitting = sets.length > 0 ? sets : singles;
  const asked = wanted === 'auto' ? fitting : [...sets, ...singles].filter(({ kind }) => kind === wanted);
  const right = asked.filter((layout) => labelsFit(layout, hints));
  const [only] = right;
  if (only && right.length === 1) return { layout: only };
  if (right.length > 1) {
    const kinds = [...new Set(right.map(({ kind }) => kind))];
    const next =
      kinds.length > 1
        ? `set output to ${list(kinds, 'or')}, or give the labels`
        : 'set outputName to the one to read';
    return { problem: `more than one layout fits. ${found}, which may be ${list(kinds, 'and')}: ${next}` };
  }
  if (asked.length === 0) {
    const expected = wanted === 'auto' ? LAYOUTS.map(expectation).join('; ') : expectation(wanted);
    return { problem: `no known layout fits. ${found}. Expected is ${expected}` };
  }
  const read = asked.map(
    (layout) => `${layout.kind} with ${layout.classes ?? '?'} class${layout.classes === 1 ? '' : 'es'}`,
  );
  const next =
    labels === undefined
      ? 'give its labels, or set output if that is right'
      : 'the labels must be those it was trained on, in their order';
  return { problem: `${found}, which reads as ${list(read, 'or')}, and there are ${known}: ${next}` };
}

function labelsFit(layout: Layout, { labels, wanted }: LayoutHints): boolean {
  const { kind, classes } = layout;
  if (classes === undefined) return true;
  if (labels !== undefined) return classes === labels;
  // Masks and key points lie where more classes would: only one class cannot be anything else.
  return wanted !== 'auto' || (classes === 1 && kind !== 'detr' && kind !== 'rt-detr');
}

/** Layouts of several outputs. */
function setsOf(outputs: readonly Tensor[]): Layout[] {
  const boxes = only(outputs, 'boxes', ({ dims }) => dims.at(-1) === 4);
  if (!boxes) return [];
  const others = outputs.filter((output) => output !== boxes);
  const labels = only(others, 'labels', ({ type }) => type.startsWith('int'));
  const scores = only(others, 'scores', (output) => output !== labels && !output.type.startsWith('int'));
  if (labels && scores && sameLists(boxes, labels) && sameLists(boxes, scores))
    return [{ kind: 'torchvision', boxes: boxes.name, labels: labels.name, scores: scores.name }];
  const logits = only(
    others,
    'logits',
    ({ dims }) => dims.length === 3 && dims[1] === boxes.dims[1] && boxes.dims.length === 3,
  );
  const columns = logits?.dims.at(-1) ?? 0;
  if (!logits || columns < 1) return [];
  const names = { logits: logits.name, boxes: boxes.name };
  const softmax: Layout = { kind: 'detr', ...names, classes: columns - 1 };
  const sigmoid: Layout = { kind: 'rt-detr', ...names, classes: columns };
  return columns === 1 ? [sigmoid] : [softmax, sigmoid];
}

/** The output of that shape; where several have it, the one whose name says so. */
function only(
  outputs: readonly Tensor[],
  word: string,
  fits: (tensor: Tensor) => boolean,
): Tensor | undefined {
  const fitting = outputs.filter(fits);
  if (fitting.length === 1) return fitting[0];
  const named = fitting.filter(({ name }) => name.toLowerCase().includes(word));
  return named.find(({ name }) => name === word) ?? (named.length === 1 ? named[0] : undefined);
}

function sameLists(boxes: Tensor, others: Tensor): boolean {
  return boxes.dims.slice(0, -1).join() === others.dims.join();
}

/** Layouts of one output. */
function singlesOf(outputs: readonly Tensor[], hints: LayoutHints): Layout[] {
  const { outputName } = hints;
  return outputs
    .filter(({ name, dims }) => dims.length === 3 && (outputName === undefined || name === outputName))
    .flatMap(({ name, dims: [, rows = 0, columns = 0] }): Layout[] => {
      const found: Layout[] = [];
      if (rows >= 5 && rows < columns) found.push({ kind: 'yolov8', output: name, classes: rows - 4 });
      const mayBeYolov5 = columns >= 6 && rows > columns;
      const mayBeEndToEnd = columns === 6;
      // Six columns are both "five and one class" and "corners, score, class". The number of rows tells: one is a matter of strides.
      const strides = rows === 3 * anchorsOf(hints.input);
      const judged = hints.wanted !== 'auto';
      if (mayBeYolov5 && (judged || !mayBeEndToEnd || strides || rows > MAX_END_TO_END))
        found.push({ kind: 'yolov5', output: name, classes: columns - 5 });
      if (mayBeEndToEnd && (judged || !strides)) found.push({ kind: 'end-to-end', output: name });
      return found;
    });
}

/** More boxes than a model gives after its own suppression: the usual limits are 100 to 1,000. */
const MAX_END_TO_END = 1_000;

/** Cells of the three strides of YOLO. */
function anchorsOf({ width, height }: Size): number {
  return [8, 16, 32].reduce((sum, stride) => sum + Math.ceil(width / stride) * Math.ceil(height / stride), 0);
}

function expectation(kind: LayoutKind): string {
  const shapes: Readonly<Record<LayoutKind, string>> = {
    yolov8: shapeText([1, '4 + classes', 'boxes']),
    yolov5: shapeText([1, 'boxes', '5 + classes']),
    'end-to-end': shapeText([1, 'boxes', 6]),
    detr: `logits ${shapeText([1, 'boxes', 'classes + 1'])} and boxes ${shapeText([1, 'boxes', 4])}`,
    'rt-detr': `logits ${shapeText([1, 'boxes', 'classes'])} and boxes ${shapeText([1, 'boxes', 4])}`,
    torchvision: 'boxes, labels and scores of equal length',
  };
  return `${shapes[kind]} (${kind})`;
}

function list(words: readonly string[], last: string): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1) ?? ''}`;
}
