import { halvesToFloats } from './half.js';

/** An input or output as the model file declares it; a dimension that may vary is its name or −1. */
export interface DeclaredTensor {
  readonly name: string;
  /** `float32`, `float16`, `uint8`, `int64` … */
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** Arrays that a model's outputs come in; halves are their bits. */
export type TensorData = Float32Array | Float64Array | Uint16Array | Uint8Array | Int32Array | BigInt64Array;

/** A tensor as a model gave it. */
export interface Tensor {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** Elements of a tensor as numbers. */
export function numbersOf(tensor: Tensor): ArrayLike<number> {
  const { data, type } = tensor;
  if (data instanceof BigInt64Array) return Float64Array.from(data, Number);
  return type === 'float16' && data instanceof Uint16Array ? halvesToFloats(data) : data;
}

/** A shape as people write it: `[1, 84, 8400]`, `[batch, 3, ?, ?]`. */
export function shapeText(shape: readonly (number | string)[]): string {
  return `[${shape.map((size) => (size === '' || size === -1 ? '?' : String(size))).join(', ')}]`;
}

/** Tensors with names, types and shapes, for messages. */
export function tensorsText(tensors: readonly (DeclaredTensor | Tensor)[]): string {
  if (tensors.length === 0) return 'none';
  return tensors
    .map((tensor) => {
      const shape = 'dims' in tensor ? tensor.dims : tensor.shape;
      return `${JSON.stringify(tensor.name)} ${tensor.type} ${shapeText(shape)}`;
    })
    .join(', ');
}
