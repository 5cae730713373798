import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelQueue, type BatchRule, type ModelReply } from '../../src/onnx/model-queue.js';
import { isOutOfMemory, namedOutOfMemory } from '../../src/onnx/out-of-memory.js';
import { OutOfMemoryTaskError } from 'antenna-sdk';

/** A model that doubles each of two numbers an image, and notes how many images each call had. */
function doubling(
  rule: BatchRule,
  fault: (count: number) => Error | undefined = () => undefined,
): { queue: ModelQueue; calls: number[]; shrunk: number[] } {
  const calls: number[] = [];
  const shrunk: number[] = [];
  const queue = new ModelQueue({
    batches: [rule, rule],
    now: () => calls.length,
    onShrink: (_, max) => shrunk.push(max),
    run: async (_, data, count) => {
      calls.push(count);
      const error = fault(count);
      if (error) throw error;
      expect(data).toHaveLength(count * 2);
      const doubled = Float32Array.from(data as Float32Array, (value) => value * 2);
      return [{ name: 'out', type: 'float32', dims: [count, 2], data: doubled }];
    },
  });
  return { queue, calls, shrunk };
}

const ask = (queue: ModelQueue, numbers: readonly number[], model = 0): Promise<ModelReply> =>
  queue.ask({ model, count: numbers.length, data: Float32Array.from(numbers.flatMap((n) => [n, -n])) });
const valuesOf = ({ runs }: ModelReply): number[] =>
  runs.flatMap(({ count, outputs }) => [...(outputs[0]?.data as Float32Array)].slice(0, count * 2));

describe('the queue before a model', () => {
  it('gives each request its own outputs, whatever the sizes of requests and batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 1, maxLength: 7 }), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        async (requests, max, fixed) => {
          const { queue, calls } = doubling({ max, fixed });
          const replies = await Promise.all(requests.map((numbers) => ask(queue, numbers)));
          replies.forEach((reply, index) => {
            expect(valuesOf(reply)).toEqual((requests[index] ?? []).flatMap((n) => [n * 2, n * -2]));
          });
          expect(Math.max(...calls)).toBeLessThanOrEqual(max);
          if (fixed) expect(calls.every((count) => count === max)).toBe(true);
        },
      ),
    );
  });

  it('lets tiles of several images share a call', async () => {
    const { queue, calls } = doubling({ max: 4, fixed: false });
    await Promise.all([ask(queue, [1]), ask(queue, [2]), ask(queue, [3, 4, 5])]);
    // The first is called alone, as nothing else was there.
    expect(calls).toEqual([1, 4]);
  });

  it('never mixes models', async () => {
    const { queue, calls } = doubling({ max: 8, fixed: false });
    await Promise.all([ask(queue, [9]), ask(queue, [1], 0), ask(queue, [2], 1), ask(queue, [3], 0)]);
    expect(calls).toEqual([1, 2, 1]);
  });

  it('halves a batch that the memory does not hold, and remembers it', async () => {
    const { queue, calls, shrunk } = doubling({ max: 8, fixed: false }, (count) =>
      count > 2 ? new Error('CUDA failure 2: out of memory') : undefined,
    );
    expect(valuesOf(await ask(queue, [1, 2, 3, 4, 5, 6, 7, 8]))).toHaveLength(16);
    await ask(queue, [1, 2, 3, 4]);
    expect(shrunk).toEqual([4, 2]);
    expect(calls).toEqual([8, 4, 2, 2, 2, 2, 2, 2]);
  });

  it('fails a request whose single image the memory does not hold, and goes on with the next', async () => {
    let full = true;
    const { queue } = doubling({ max: 1, fixed: true }, () =>
      full ? new Error('Failed to allocate memory for requested buffer of size 4096') : undefined,
    );
    await expect(ask(queue, [1])).rejects.toThrow(/Failed to allocate/);
    full = false;
    expect(valuesOf(await ask(queue, [2]))).toEqual([4, -4]);
  });

  it('fails only the requests that were in the call', async () => {
    let calls = 0;
    const { queue } = doubling({ max: 1, fixed: true }, () => {
      calls += 1;
      return calls === 1 ? new Error('bad node') : undefined;
    });
    const [first, second] = await Promise.allSettled([ask(queue, [1]), ask(queue, [2])]);
    expect(first.status).toBe('rejected');
    expect(second.status).toBe('fulfilled');
  });
});

describe('out of memory', () => {
  it.each([
    'CUDA failure 2: out of memory ; GPU=0',
    'bfc_arena.cc:376 AllocateRawInternal Failed to allocate memory for requested buffer of size 1073741824',
    'std::bad_alloc',
    'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED',
    'DXGI: E_OUTOFMEMORY',
  ])('is recognised in the words of the runtime: %s', (text) => {
    expect(isOutOfMemory(new Error(text))).toBe(true);
    expect(namedOutOfMemory(new Error(text))).toBeInstanceOf(OutOfMemoryTaskError);
  });

  it('is not seen in other errors', () => {
    const error = new Error('Got invalid dimensions for input: images');
    expect(isOutOfMemory(error)).toBe(false);
    expect(namedOutOfMemory(error)).toBe(error);
  });
});
