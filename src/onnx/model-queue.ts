import { isOutOfMemory } from './out-of-memory.js';
import type { InputArray } from './pixels.js';
import type { Tensor, TensorData } from './tensors.js';

/** What a model is asked: images in a row in `data`. */
export interface ModelRequest {
  readonly model: number;
  readonly count: number;
  readonly data: InputArray;
}

/** Outputs of consecutive images of a request. A request larger than a batch, or one that was cut, has several. */
interface ModelRun {
  readonly count: number;
  readonly outputs: readonly Tensor[];
}

/** The answer, in the order of the request's images. */
export interface ModelReply {
  readonly runs: readonly ModelRun[];
  /** Milliseconds of the calls, by the part of the images in them that were this request's. */
  readonly runMs: number;
}

/** How many images a model takes: `max` at most, or always just as many. */
export interface BatchRule {
  readonly max: number;
  readonly fixed: boolean;
}

/** Runs a model on `count` images. */
type RunModel = (model: number, data: InputArray, count: number) => Promise<readonly Tensor[]>;

/** What {@link ModelQueue} is made of. */
export interface ModelQueueOptions {
  /** By model. */
  readonly batches: readonly BatchRule[];
  readonly run: RunModel;
  readonly now: () => number;
  /** Hears that a batch was too large for the memory. */
  readonly onShrink?: ((model: number, max: number) => void) | undefined;
}

interface Waiting {
  readonly request: ModelRequest;
  readonly runs: ModelRun[];
  readonly resolve: (reply: ModelReply) => void;
  readonly reject: (error: unknown) => void;
  /** Images that have been run. */
  done: number;
  runMs: number;
}

/** A part of a request in a call. */
interface Share {
  readonly waiting: Waiting;
  readonly from: number;
  readonly count: number;
}

/**
 * One call of a model at a time, with images of as many requests as are waiting. A call that runs out of memory is made again with half of
 * the images, and no later call of that model is larger.
 */
export class ModelQueue {
  readonly #options: ModelQueueOptions;
  readonly #max: number[];
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(options: ModelQueueOptions) {
    this.#options = options;
    this.#max = options.batches.map(({ max }) => max);
  }

  /** @throws what the model throws. */
  ask(request: ModelRequest): Promise<ModelReply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, runs: [], resolve, reject, done: 0, runMs: 0 });
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let [first] = this.#waiting; first; [first] = this.#waiting) {
      const { model } = first.request;
      const shares = this.#gather(model);
      try {
        await this.#call(model, shares);
      } catch (error) {
        this.#failed(model, shares, error);
      }
    }
    this.#busy = false;
  }

  /** Images of the first request and of others for the same model, up to a batch. */
  #gather(model: number): Share[] {
    const shares: Share[] = [];
    let room = this.#max[model] ?? 1;
    for (const waiting of this.#waiting) {
      if (room === 0) break;
      const { request, done } = waiting;
      if (request.model !== model) continue;
      const count = Math.min(room, request.count - done);
      shares.push({ waiting, from: done, count });
      room -= count;
    }
    return shares;
  }

  async #call(model: number, shares: readonly Share[]): Promise<void> {
    const { run, now, batches } = this.#options;
    const count = shares.reduce((sum, share) => sum + share.count, 0);
    const rule = batches[model];
    const size = rule?.fixed ? rule.max : count;
    const startedAt = now();
    const outputs = await run(model, inputOf(shares, size), size);
    const runMs = now() - startedAt;
    let offset = 0;
    for (const { waiting, count: part } of shares) {
      waiting.runs.push({ count: part, outputs: sliced(outputs, offset, part, size) });
      waiting.done += part;
      waiting.runMs += (runMs * part) / count;
      offset += part;
    }
    this.#settle(({ done, request }) => done === request.count);
  }

  #settle(finished: (waiting: Waiting) => boolean): void {
    for (const waiting of this.#waiting)
      if (finished(waiting)) waiting.resolve({ runs: waiting.runs, runMs: waiting.runMs });
    this.#waiting = this.#waiting.filter((waiting) => !finished(waiting));
  }

  #failed(model: number, shares: readonly Share[], error: unknown): void {
    const count = shares.reduce((sum, share) => sum + share.count, 0);
    if (isOutOfMemory(error) && count > 1 && !this.#options.batches[model]?.fixed) {
      const max = count >> 1;
      this.#max[model] = max;
      this.#options.onShrink?.(model, max);
      return;
    }
    const failed = new Set(shares.map(({ waiting }) => waiting));
    for (const { reject } of failed) reject(error);
    this.#waiting = this.#waiting.filter((waiting) => !failed.has(waiting));
  }
}

/** The images of a call in a row; a batch of fixed size is filled up with zeros. */
function inputOf(shares: readonly Share[], size: number): InputArray {
  const [first] = shares;
  if (!first) throw new RangeError('a call without images');
  const { data, count } = first.waiting.request;
  const stride = data.length / count;
  // Most calls hold one request, and copying 5 MB an image would cost as much as a small model.
  if (shares.length === 1 && first.count === size)
    return data.subarray(first.from * stride, (first.from + size) * stride);
  const joined = blank(data, size * stride);
  let offset = 0;
  for (const { waiting, from, count: part } of shares) {
    joined.set(waiting.request.data.subarray(from * stride, (from + part) * stride), offset);
    offset += part * stride;
  }
  return joined;
}

function blank(like: InputArray, length: number): InputArray {
  if (like instanceof Float32Array) return new Float32Array(length);
  return like instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);
}

function sliced(outputs: readonly Tensor[], from: number, count: number, of: number): readonly Tensor[] {
  if (count === of) return outputs;
  return outputs.map((output) => {
    const stride = output.data.length / of;
    const data: TensorData = output.data.slice(from * stride, (from + count) * stride);
    return { ...output, dims: [count, ...output.dims.slice(1)], data };
  });
}
