import type { Size } from './geometry.js';
import type { InputType } from './pixels.js';
import { tensorsText, type DeclaredTensor } from './tensors.js';

/** The input of a model that takes the image, as its file declares it. */
export interface ImageInput extends Size {
  readonly name: string;
  readonly type: InputType;
  readonly layout: 'nchw' | 'nhwc';
  /** Dimensions: 4, or 3 for models that take one image without a batch. */
  readonly rank: 3 | 4;
  /** Images of a call; undefined: any number. */
  readonly batch: number | undefined;
  /** Inputs beside the image that are known and can be filled. */
  readonly extras: readonly DeclaredTensor[];
}

/** Inputs beside the image that exporters of DETR models leave: the size to scale the boxes to, and which pixels are not padding. */
const EXTRAS = ['orig_target_sizes', 'pixel_mask'];

const TYPES: readonly string[] = ['float32', 'float16', 'uint8'] satisfies InputType[];

/**
 * Finds the image among a model's inputs.
 * @param wanted - the size that the description asks for; must be the model's own where that is fixed.
 * @param fallback - the size where neither says one.
 * @returns the input, or in words what was found and what was expected.
 */
export function imageInputOf(
  inputs: readonly DeclaredTensor[],
  wanted: Size | undefined,
  fallback: Size,
): ImageInput | string {
  const found = `its inputs are ${tensorsText(inputs)}`;
  const extras = inputs.filter(({ name }) => EXTRAS.includes(name));
  const [input, second] = inputs.filter((tensor) => !extras.includes(tensor));
  const expected =
    'expected is one image of float32, float16 or uint8, as [batch, 3, height, width] or [batch, height, width, 3]';
  if (!input || second) return `${found}; ${expected}`;
  const { name, type, shape } = input;
  if (!isInputType(type) || (shape.length !== 4 && shape.length !== 3)) return `${found}; ${expected}`;
  const rank = shape.length;
  const [first, middle, last] = shape.slice(-3);
  const layout = layoutOf(first, last);
  if (!layout) return `${found}; ${expected}`;
  const [height, width] = layout === 'nchw' ? [middle, last] : [first, middle];
  const size = {
    width: fixed(width) ?? wanted?.width ?? fallback.width,
    height: fixed(height) ?? wanted?.height ?? fallback.height,
  };
  if (wanted && (wanted.width !== size.width || wanted.height !== size.height))
    return `inputSize is ${wanted.width} × ${wanted.height}, and the model's is fixed to ${size.width} × ${size.height}: leave it out`;
  const batch = rank === 3 ? 1 : fixed(shape[0]);
  return { name, type, layout, rank, batch, extras, ...size };
}

function isInputType(type: string): type is InputType {
  return TYPES.includes(type);
}

/** Which of the dimensions is the three colours. Where both could be, as in exports with every dimension open, they come first. */
function layoutOf(
  first: number | string | undefined,
  last: number | string | undefined,
): ImageInput['layout'] | undefined {
  if (first === 3) return 'nchw';
  if (last === 3) return 'nhwc';
  return fixed(first) === undefined && fixed(last) === undefined ? 'nchw' : undefined;
}

function fixed(dimension: number | string | undefined): number | undefined {
  return typeof dimension === 'number' && dimension > 0 ? dimension : undefined;
}
