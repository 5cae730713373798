import { OutOfMemoryTaskError } from '../worker/handler/task-errors.js';

/**
 * Words with which ONNX Runtime and its providers say that memory did not suffice. They throw plain errors: the text is all there is.
 * CUDA's allocator and cuBLAS, cuDNN, DirectML, WebGPU's Dawn and the CPU's arena say it in these ways.
 */
const WORDS =
  /out of (?:device )?memory|failed to allocate|bad_alloc|bad allocation|ALLOC_FAILED|OUTOFMEMORY|OUT_OF_MEMORY|BFCArena|not enough memory|Array buffer allocation failed/i;

/** Whether an error means that a smaller batch may go well. */
export function isOutOfMemory(error: unknown): boolean {
  return WORDS.test(error instanceof Error ? error.message : String(error));
}

/** The same error, or one that says by its class that memory did not suffice: then nobody blames the image. */
export function namedOutOfMemory(error: unknown): unknown {
  if (error instanceof OutOfMemoryTaskError || !isOutOfMemory(error)) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new OutOfMemoryTaskError(`the memory did not suffice for one image: ${why}`, { cause: error });
}
