import type * as Ort from 'onnxruntime-node';
import type { ConfigIssue } from '../errors/config.js';
import type { Provider } from './machine-share.js';
import type { Size } from './geometry.js';
import { imageInputOf, type ImageInput } from './model-input.js';
import { ModelQueue, type BatchRule } from './model-queue.js';
import { inputArray, type InputArray } from './pixels.js';
import type { LoadedModel } from './plan.js';
import type { DeclaredTensor, Tensor, TensorData } from './tensors.js';

export type OrtModule = typeof Ort;

/** A model to load. */
interface ModelToLoad {
  readonly where: string;
  readonly path: string;
  readonly wanted: Size | undefined;
  readonly fallback: Size;
}

/** What a session thread starts with. */
export interface SessionSettings {
  readonly models: readonly ModelToLoad[];
  readonly providers: readonly Provider[];
  readonly threads: number;
  readonly modelBatch: number;
}

/** Models that are loaded and warm, or what is wrong with them. */
export type Loading =
  | {
      readonly loaded: readonly LoadedModel[];
      readonly queue: ModelQueue;
      readonly release: () => Promise<void>;
    }
  | { readonly issues: readonly ConfigIssue[] };

/** How a session is used. */
interface Running {
  readonly session: Ort.InferenceSession;
  readonly input: ImageInput;
}

/**
 * Loads models and runs each once, so that the first image finds them warm and what they give is known before any task is taken.
 * @param onShrink - hears when a batch was too large for the memory.
 */
export async function loadModels(
  ort: OrtModule,
  settings: SessionSettings,
  onShrink?: (where: string, max: number) => void,
): Promise<Loading> {
  // A provider that cannot be had is a note in our log; the runtime would write an error of ten lines to standard error as well.
  ort.env.logLevel = 'fatal';
  const running: Running[] = [];
  const loaded: LoadedModel[] = [];
  const batches: BatchRule[] = [];
  const issues: ConfigIssue[] = [];
  for (const model of settings.models) {
    try {
      const { session, provider, notes } = await openSession(ort, model.path, settings);
      const input = imageInputOf(declared(session.inputMetadata), model.wanted, model.fallback);
      if (typeof input === 'string') issues.push({ path: `${model.where}.model`, message: input });
      else {
        const warm = await warmUp(ort, { session, input }, settings.modelBatch);
        running.push({ session, input });
        batches.push({ max: warm.maxBatch, fixed: warm.fixed });
        const { outputs, maxBatch, runMs } = warm;
        loaded.push({ input, outputs, maxBatch, runMs, provider, notes: [...notes, ...warm.notes] });
      }
    } catch (error) {
      issues.push({ path: `${model.where}.model`, message: `${model.path}: ${firstLine(error)}` });
    }
  }
  const release = async (): Promise<void> => {
    for (const { session } of running) await session.release();
  };
  if (issues.length > 0) {
    await release();
    return { issues };
  }
  const queue = new ModelQueue({
    batches,
    now: () => performance.now(),
    run: async (model, data, count) => {
      const target = running[model];
      if (!target) throw new RangeError(`there is no model ${model}`);
      return await runModel(ort, target, data, count);
    },
    onShrink: (model, max) => onShrink?.(settings.models[model]?.where ?? '', max),
  });
  return { loaded, queue, release };
}

/** The first provider that can be had; why the others cannot is for the log. */
async function openSession(
  ort: OrtModule,
  path: string,
  { providers, threads }: SessionSettings,
): Promise<{ session: Ort.InferenceSession; provider: Provider; notes: string[] }> {
  const notes: string[] = [];
  const here = ort.listSupportedBackends().map(({ name }) => name);
  for (const provider of providers) {
    if (provider !== 'cpu' && !here.includes(provider)) {
      notes.push(`${provider} is not in this build of onnxruntime-node (it has ${here.join(', ')})`);
      continue;
    }
    try {
      const session = await ort.InferenceSession.create(path, {
        executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'all',
        logSeverityLevel: 4,
      });
      return { session, provider, notes };
    } catch (error) {
      if (provider === 'cpu') throw error;
      notes.push(`${provider} cannot be used: ${firstLine(error)}`);
    }
  }
  throw new Error(`none of ${providers.join(', ')} can be used: ${notes.join('; ')}`);
}

function declared(metadata: readonly Ort.InferenceSession.ValueMetadata[]): DeclaredTensor[] {
  return metadata.map((value) =>
    value.isTensor
      ? { name: value.name, type: value.type, shape: value.shape }
      : { name: value.name, type: 'not a tensor', shape: [] },
  );
}

interface Warm {
  readonly outputs: readonly Tensor[];
  readonly maxBatch: number;
  readonly fixed: boolean;
  readonly runMs: number;
  readonly notes: readonly string[];
}

async function warmUp(ort: OrtModule, model: Running, modelBatch: number): Promise<Warm> {
  const { input } = model;
  const count = input.batch ?? 1;
  const run = (images: number): Promise<readonly Tensor[]> =>
    runModel(ort, model, inputArray(input, images), images);
  const outputs = await run(count);
  const startedAt = performance.now();
  await run(count);
  const runMs = performance.now() - startedAt;
  const facts = { outputs: outputs.map(withoutRest), runMs };
  if (input.batch !== undefined) return { ...facts, maxBatch: count, fixed: true, notes: [] };
  if (modelBatch === 1) return { ...facts, maxBatch: 1, fixed: true, notes: [] };
  // A batch that is open in the file may still be fixed inside: exporters write down constants of the one run that they saw.
  const why = await whyNoBatches(run, outputs);
  if (why === undefined) return { ...facts, maxBatch: modelBatch, fixed: false, notes: [] };
  return { ...facts, maxBatch: 1, fixed: true, notes: [`images are run one at a time: ${why}`] };
}

async function whyNoBatches(
  run: (images: number) => Promise<readonly Tensor[]>,
  single: readonly Tensor[],
): Promise<string | undefined> {
  try {
    const outputs = await run(2);
    const odd = outputs.find(({ dims }, index) => single[index]?.dims[0] !== 1 || dims[0] !== 2);
    return odd && `output ${JSON.stringify(odd.name)} is not one part an image`;
  } catch (error) {
    return firstLine(error);
  }
}

/** What is asked of outputs at start is their shapes and types; the numbers stay where they are. */
function withoutRest(output: Tensor): Tensor {
  return { ...output, data: output.data.slice() };
}

async function runModel(
  ort: OrtModule,
  { session, input }: Running,
  data: InputArray,
  count: number,
): Promise<readonly Tensor[]> {
  const { width, height, layout, rank } = input;
  const dims = layout === 'nchw' ? [3, height, width] : [height, width, 3];
  const feeds: Record<string, Ort.Tensor> = {
    [input.name]: new ort.Tensor(input.type, data, rank === 4 ? [count, ...dims] : dims),
  };
  for (const extra of input.extras) feeds[extra.name] = extraTensor(ort, extra, input, count);
  const outputs = await session.run(feeds);
  return Object.entries(outputs).map(([name, tensor]) => ({
    name,
    type: tensor.type,
    dims: tensor.dims,
    data: asBits(tensor.data),
  }));
}

function extraTensor(
  ort: OrtModule,
  { name, type }: DeclaredTensor,
  { width, height }: Size,
  count: number,
): Ort.Tensor {
  const isMask = name === 'pixel_mask';
  const dims = isMask ? [count, height, width] : [count, 2];
  const length = dims.reduce((product, dim) => product * dim, 1);
  const value = (index: number): number => (isMask ? 1 : index % 2 === 0 ? width : height);
  if (type === 'int64')
    return new ort.Tensor(
      'int64',
      BigInt64Array.from({ length }, (_, index) => BigInt(value(index))),
      dims,
    );
  if (type === 'float32')
    return new ort.Tensor(
      'float32',
      Float32Array.from({ length }, (_, index) => value(index)),
      dims,
    );
  return new ort.Tensor(
    'int32',
    Int32Array.from({ length }, (_, index) => value(index)),
    dims,
  );
}

/** Newer Nodes give halves as an array of their own, which Node 20 and 22 do not have. */
function asBits(data: Ort.Tensor['data']): TensorData {
  const { buffer, byteOffset, byteLength, constructor } = data as Uint16Array;
  if (constructor.name === 'Float16Array') return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return data as TensorData;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? text;
}
