import { OnnxFile, type ElementType } from './onnx-file.js';

/** How a blob detector is written. */
export interface BlobModelOptions {
  /** Side of its square input. Default 640. */
  readonly side?: number;
  /** Images of a call; a text leaves it open. Default `batch`. */
  readonly batch?: number | string;
  /** Type of input and output. Default float32. */
  readonly type?: Extract<ElementType, 'float32' | 'float16' | 'uint8'>;
}

/** Cells of these sizes each look for blobs of about theirs. */
const STRIDES = [8, 16, 32] as const;
/** Darker than the sheet around by this much, of 1, counts. */
const CONTRAST = 0.1;
/** A cell looks at a square of this many cells' length around its middle. */
const REACH = 4;
/** Standard deviations of an insect's pixels that its length is: 3.46 for a bar, 4 for an ellipse; and legs. */
const LENGTH_IN_SIGMAS = 4.2;

/**
 * A detector with no training: it finds dark blobs on a light sheet. Darkness above the background is summed up around each cell, with its
 * first and second moments, by one convolution a scale; the moments give centre and size, and a blob that leaves the cell's reach is another
 * scale's. The output is that of YOLOv8 with one class: `[batch, 5, cells]`, centre, size and score.
 * @returns the ONNX file.
 */
export function blobDetector({
  side = 640,
  batch = 'batch',
  type = 'float32',
}: BlobModelOptions = {}): Uint8Array {
  const file = new OnnxFile();
  const pixels = asUnit(file, file.input('images', type, [batch, 3, side, side]), type);
  const dark = foreground(file, pixels);
  const scales = STRIDES.map((stride) => cells(file, dark, stride, side));
  const all = file.op('Concat', scales, { axis: 2 });
  const out = type === 'float16' ? file.op('Cast', [all], { to: 10 }) : all;
  const count = STRIDES.reduce((sum, stride) => sum + (side / stride) ** 2, 0);
  file.output(out, 'output0', type === 'float16' ? 'float16' : 'float32', [batch, 5, count]);
  return file.bytes();
}

function asUnit(file: OnnxFile, input: string, type: ElementType): string {
  if (type === 'float32') return input;
  const floats = file.op('Cast', [input], { to: 1 });
  return type === 'float16' ? floats : file.op('Mul', [floats, file.scalar(1 / 255)]);
}

/** How much darker each pixel is than its surroundings. */
function foreground(file: OnnxFile, pixels: string): string {
  const weights = file.floats([-1 / 3, -1 / 3, -1 / 3], [1, 3, 1, 1]);
  const darkness = file.op('Conv', [pixels, weights, file.floats([1], [1])]);
  const coarse = file.op('AveragePool', [darkness], { kernel_shape: [8, 8], strides: [8, 8] });
  const around = file.op('AveragePool', [coarse], { kernel_shape: [21, 21], pads: [10, 10, 10, 10] });
  const background = file.op('Resize', [around, '', file.floats([1, 1, 8, 8], [4])], { mode: 'linear' });
  const above = file.op('Sub', [file.op('Sub', [darkness, background]), file.scalar(CONTRAST)]);
  return file.op('Relu', [above]);
}

/** The cells of one scale: `[batch, 5, cells]`. */
function cells(file: OnnxFile, dark: string, stride: number, side: number): string {
  const length = REACH * stride;
  const pad = (length - stride) / 2;
  const sums = file.op('Conv', [dark, momentKernels(file, length, stride)], {
    kernel_shape: [length, length],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
  });
  const [mass = '', x = '', y = '', xx = '', yy = '', edge = ''] = file.ops('Split', [sums], 6, { axis: 1 });
  const divisor = file.op('Add', [mass, file.scalar(1e-3)]);
  const mean = (sum: string): string => file.op('Div', [sum, divisor]);
  const [dx, dy] = [mean(x), mean(y)];
  const extent = (square: string, middle: string): string => {
    const variance = file.op('Sub', [mean(square), file.op('Mul', [middle, middle])]);
    const sigma = file.op('Sqrt', [file.op('Relu', [variance])]);
    return file.op('Add', [file.op('Mul', [sigma, file.scalar(LENGTH_IN_SIGMAS)]), file.scalar(2)]);
  };
  const fields = [
    file.op('Add', [dx, middles(file, side, stride, 'x')]),
    file.op('Add', [dy, middles(file, side, stride, 'y')]),
    extent(xx, dx),
    extent(yy, dy),
    score(file, { mass, edge: mean(edge), dx, dy, stride }),
  ];
  return file.op('Reshape', [file.op('Concat', fields, { axis: 1 }), file.integers([0, 5, -1])]);
}

interface Blob {
  readonly mass: string;
  readonly edge: string;
  readonly dx: string;
  readonly dy: string;
  readonly stride: number;
}

/** High for much darkness that lies near the middle and does not reach the edge. */
function score(file: OnnxFile, { mass, edge, dx, dy, stride }: Blob): string {
  const clip = (value: string): string => file.op('Clip', [value, file.scalar(0), file.scalar(1)]);
  const enough = clip(file.op('Mul', [mass, file.scalar(1 / (0.16 * stride * stride))]));
  const inside = clip(file.op('Sub', [file.scalar(1), file.op('Mul', [edge, file.scalar(10)])]));
  const off = file.op('Add', [file.op('Mul', [dx, dx]), file.op('Mul', [dy, dy])]);
  const near = file.op('Exp', [file.op('Mul', [off, file.scalar(-0.5 / (stride * stride))])]);
  return file.op('Mul', [file.op('Mul', [enough, inside]), near]);
}

/** Kernels for mass, its moments, and the part of it that is at the edge. */
function momentKernels(file: OnnxFile, length: number, stride: number): string {
  const edge = stride / 4;
  const functions: ((x: number, y: number) => number)[] = [
    () => 1,
    (x) => x,
    (_, y) => y,
    (x) => x * x,
    (_, y) => y * y,
    (x, y) => (Math.max(Math.abs(x), Math.abs(y)) > length / 2 - edge ? 1 : 0),
  ];
  const values = functions.flatMap((weight) =>
    Array.from({ length: length * length }, (_, index) => {
      const x = (index % length) + 0.5 - length / 2;
      const y = Math.floor(index / length) + 0.5 - length / 2;
      return weight(x, y);
    }),
  );
  return file.floats(values, [functions.length, 1, length, length]);
}

function middles(file: OnnxFile, side: number, stride: number, axis: 'x' | 'y'): string {
  const count = side / stride;
  const values = Array.from({ length: count }, (_, index) => (index + 0.5) * stride);
  return file.floats(values, axis === 'x' ? [1, 1, 1, count] : [1, 1, count, 1]);
}

/**
 * A classifier with no training: tells a dark thing from a pale one by the mean darkness of a crop. Takes colours from 0 to 1, gives two numbers
 * for a softmax.
 */
export function shadeClassifier(): Uint8Array {
  const file = new OnnxFile();
  const pixels = file.input('crops', 'float32', ['batch', 3, 32, 32]);
  const mean = file.op('Flatten', [file.op('GlobalAveragePool', [pixels])]);
  const weights = file.floats([-6, 6, -6, 6, -6, 6], [3, 2]);
  const logits = file.op('Gemm', [mean, weights, file.floats([9, -9], [2])]);
  file.output(logits, 'logits', 'float32', ['batch', 2]);
  return file.bytes();
}

/** Names of what {@link shadeClassifier} tells apart, in its order. */
export const SHADES = ['Dark thing', 'Pale thing'] as const;
