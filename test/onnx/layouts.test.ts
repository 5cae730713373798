import { describe, expect, it } from 'vitest';
import { activate } from '../../src/onnx/activation.js';
import { tellLayout, type LayoutHints, type LayoutKind } from '../../src/onnx/layouts.js';
import { outputsOf, readBoxes } from '../../src/onnx/read-boxes.js';
import { toHalf } from '../../src/onnx/half.js';
import type { Tensor } from '../../src/onnx/tensors.js';

const input = { width: 640, height: 640 };
const tensor = (name: string, dims: readonly number[], type = 'float32', data?: Tensor['data']): Tensor => ({
  name,
  type,
  dims,
  data: data ?? new Float32Array(dims.reduce((product, dim) => product * dim, 1)),
});
const tell = (outputs: readonly Tensor[], hints: Partial<LayoutHints> = {}): string => {
  const answer = tellLayout(outputs, { wanted: 'auto', labels: undefined, input, ...hints });
  return answer.problem ?? answer.layout.kind;
};

describe('the layout of a detector', () => {
  it.each<[LayoutKind, readonly Tensor[], number]>([
    ['yolov8', [tensor('output0', [1, 84, 8400])], 80],
    ['yolov8', [tensor('output0', [1, 6, 8400])], 2],
    ['yolov5', [tensor('output', [1, 25_200, 85])], 80],
    ['yolov5', [tensor('output', [1, 25_200, 6])], 1],
    ['end-to-end', [tensor('output0', [1, 300, 6])], 80],
    ['end-to-end', [tensor('output0', [1, 300, 6])], 1],
    ['detr', [tensor('logits', [1, 100, 92]), tensor('pred_boxes', [1, 100, 4])], 91],
    ['rt-detr', [tensor('logits', [1, 300, 80]), tensor('pred_boxes', [1, 300, 4])], 80],
    ['torchvision', [tensor('boxes', [0, 4]), tensor('labels', [0], 'int64'), tensor('scores', [0])], 91],
    // torch.onnx.export without output_names numbers them.
    ['torchvision', [tensor('2915', [7, 4]), tensor('2917', [7], 'int64'), tensor('2916', [7])], 91],
  ])('is told as %s by shapes and labels', (kind, outputs, labels) => {
    expect(tell(outputs, { labels })).toBe(kind);
  });

  it('needs no labels where there can be one class only', () => {
    expect(tell([tensor('output0', [1, 5, 8400])])).toBe('yolov8');
    expect(tell([tensor('output0', [1, 300, 6])])).toBe('end-to-end');
  });

  it('is asked for where several fit', () => {
    expect(tell([tensor('out', [1, 5000, 6])], { labels: 1 })).toMatch(
      /more than one layout fits.*"out" float32 \[1, 5000, 6\].*yolov5 and end-to-end.*set output to yolov5 or end-to-end/,
    );
    expect(tell([tensor('logits', [1, 300, 80]), tensor('boxes', [1, 300, 4])])).toMatch(
      /reads as detr with 79 classes or rt-detr with 80 classes, and there are no labels/,
    );
    expect(tell([tensor('a', [1, 84, 8400]), tensor('b', [1, 84, 8400])], { labels: 80 })).toMatch(
      /set outputName/,
    );
    expect(
      tell([tensor('a', [1, 84, 8400]), tensor('b', [1, 84, 8400])], { labels: 80, outputName: 'b' }),
    ).toBe('yolov8');
  });

  it('is not taken for one with more classes when the rows may be masks or key points', () => {
    const segmentation = [tensor('output0', [1, 116, 8400]), tensor('output1', [1, 32, 160, 160])];
    expect(tell(segmentation)).toMatch(/reads as yolov8 with 112 classes, and there are no labels/);
    expect(tell(segmentation, { labels: 80 })).toMatch(/112 classes, and there are 80 labels/);
  });

  it('is refused with what was found and what was expected', () => {
    expect(tell([tensor('features', [1, 512])])).toMatch(
      /no known layout fits\. Its outputs are "features" float32 \[1, 512\]\. Expected is \[1, 4 \+ classes, boxes\] \(yolov8\)/,
    );
    expect(tell([tensor('output0', [1, 300, 6])], { wanted: 'yolov8' })).toMatch(
      /Expected is \[1, 4 \+ classes, boxes\] \(yolov8\)$/,
    );
  });

  it('is what the description says where that fits', () => {
    expect(tell([tensor('out', [1, 5000, 6])], { labels: 1, wanted: 'end-to-end' })).toBe('end-to-end');
    expect(tell([tensor('output0', [1, 84, 8400])], { wanted: 'yolov8' })).toBe('yolov8');
  });
});

type Found = readonly number[];
function read(outputs: readonly Tensor[], hints: Partial<LayoutHints>, slot = 0, confidence = 0.25): Found[] {
  const answer = tellLayout(outputs, { wanted: 'auto', labels: undefined, input, ...hints });
  if (answer.problem !== undefined) throw new Error(answer.problem);
  const found: Found[] = [];
  readBoxes(answer.layout, outputsOf(outputs), slot, { confidence, input }, (...box) => {
    found.push(box.map((value) => Number(value.toFixed(4))));
  });
  return found;
}

/** Rows to columns: [4 + c, n] from n rows. */
const transposed = (rows: readonly (readonly number[])[]): number[] =>
  (rows[0] ?? []).flatMap((_, column) => rows.map((row) => row[column] ?? 0));
const filled = (rows: readonly (readonly number[])[], count: number): number[][] => [
  ...rows.map((row) => [...row]),
  ...Array.from({ length: count - rows.length }, () => (rows[0] ?? []).map(() => 0)),
];

describe('boxes', () => {
  it('of yolov8: centre and size, the best class', () => {
    const rows = filled([[100, 200, 20, 40, 0.1, 0.9]], 8400);
    const out = tensor('output0', [1, 6, 8400], 'float32', Float32Array.from(transposed(rows)));
    expect(read([out], { labels: 2 })).toEqual([[90, 180, 110, 220, 0.9, 1]]);
  });

  it('of the second image of a batch', () => {
    const rows = filled([[50, 60, 10, 10, 0.7, 0]], 8400);
    const data = new Float32Array(2 * 6 * 8400);
    data.set(transposed(rows), 6 * 8400);
    const out = tensor('output0', [2, 6, 8400], 'float32', data);
    expect(read([out], { labels: 2 }, 0)).toEqual([]);
    expect(read([out], { labels: 2 }, 1)).toEqual([[45, 55, 55, 65, 0.7, 0]]);
  });

  it('of halves', () => {
    const rows = filled([[100, 200, 20, 40, 0.5, 0.25]], 8400);
    const out = tensor('o', [1, 6, 8400], 'float16', Uint16Array.from(transposed(rows), toHalf));
    expect(read([out], { labels: 2 })).toEqual([[90, 180, 110, 220, 0.5, 0]]);
  });

  it('of yolov5: objectness times class', () => {
    const rows = filled([[100, 200, 20, 40, 0.8, 0.5, 0.25]], 25_200);
    const out = tensor('output', [1, 25_200, 7], 'float32', Float32Array.from(rows.flat()));
    expect(read([out], { labels: 2 })).toEqual([[90, 180, 110, 220, 0.4, 0]]);
    expect(read([out], { labels: 2 }, 0, 0.41)).toEqual([]);
  });

  it('of a model with suppression inside: corners, and no unused rows', () => {
    const rows = filled([[1, 2, 30, 40, 0.6, 5]], 300);
    const out = tensor('output0', [1, 300, 6], 'float32', Float32Array.from(rows.flat()));
    expect(read([out], { labels: 9 }, 0, 0)).toEqual([[1, 2, 30, 40, 0.6, 5]]);
  });

  it('of detr: a softmax with "nothing" as the last class, boxes in parts of the input', () => {
    // e^2, e^1, e^0 over their sum: 0.6652, 0.2447, 0.0900. The second row is "nothing".
    const logits = tensor('logits', [1, 2, 3], 'float32', Float32Array.of(2, 1, 0, 0, 1, 9));
    const boxes = tensor(
      'pred_boxes',
      [1, 2, 4],
      'float32',
      Float32Array.of(0.5, 0.5, 0.25, 0.125, 0.1, 0.1, 0.1, 0.1),
    );
    expect(read([logits, boxes], { labels: 2 })).toEqual([[240, 280, 400, 360, 0.6652, 0]]);
  });

  it('of rt-detr: a sigmoid', () => {
    const logits = tensor('logits', [1, 1, 2], 'float32', Float32Array.of(-1, 1));
    const boxes = tensor('pred_boxes', [1, 1, 4], 'float32', Float32Array.of(0.5, 0.5, 0.5, 0.5));
    expect(read([logits, boxes], { labels: 2 })).toEqual([[160, 160, 480, 480, 0.7311, 1]]);
  });

  it('of torchvision, with whole numbers of 64 bits as labels', () => {
    const out = [
      tensor('boxes', [2, 4], 'float32', Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)),
      tensor('labels', [2], 'int64', BigInt64Array.of(3n, 1n)),
      tensor('scores', [2], 'float32', Float32Array.of(0.9, 0.1)),
    ];
    expect(read(out, {})).toEqual([[1, 2, 3, 4, 0.9, 3]]);
  });

  it('of the second image of lists with a batch in front', () => {
    const out = [
      tensor('boxes', [2, 1, 4], 'float32', Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)),
      tensor('labels', [2, 1], 'int64', BigInt64Array.of(3n, 1n)),
      tensor('scores', [2, 1], 'float32', Float32Array.of(0.9, 0.8)),
    ];
    expect(read(out, {}, 1)).toEqual([[5, 6, 7, 8, 0.8, 1]]);
  });

  it('without a score that is a number do not exist', () => {
    const rows = filled([[100, 200, 20, 40, Number.NaN, 5]], 300);
    const out = tensor('output0', [1, 300, 6], 'float32', Float32Array.from(rows.flat()));
    expect(read([out], { labels: 9 }, 0, 0)).toEqual([]);
  });
});

describe('scores', () => {
  const rounded = (numbers: readonly number[]): number[] => numbers.map((n) => Number(n.toFixed(4)));

  it('are the softmax of the outputs, computed by hand: 1, 2, 3', () => {
    expect(rounded(activate([1, 2, 3], 'softmax'))).toEqual([0.09, 0.2447, 0.6652]);
  });

  it('hold for outputs whose powers no float holds', () => {
    expect(rounded(activate([1000, 1001, 1002], 'softmax'))).toEqual([0.09, 0.2447, 0.6652]);
  });

  it('are sigmoids of each, or the outputs themselves', () => {
    expect(rounded(activate([0, -2, 2], 'sigmoid'))).toEqual([0.5, 0.1192, 0.8808]);
    expect(activate([0.2, 0.7], 'none')).toEqual([0.2, 0.7]);
  });
});
