import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { AntennaConfigError } from 'antenna-sdk';
import { onnxPipeline, type OnnxDescription } from 'antenna-sdk/onnx';
import { onnxJsonSchema } from '../../scripts/write-onnx-schema.js';
import { resolveRuntime } from '../../src/onnx/machine-share.js';
import { imageInputOf } from '../../src/onnx/model-input.js';
import { checkPeers } from '../../src/onnx/peers.js';
import { resolveDescription } from '../../src/onnx/resolve.js';
import { describing, modelFolder } from './support.js';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const { folder, dispose } = modelFolder({ 'blobs.onnx': 'a model', 'names.onnx': 'a model', ...files });
  cleanups.push(dispose);
  return folder;
}

/** Paths and words of what is wrong. */
function wrongIn(description: unknown, folder = folderWith()): string {
  try {
    resolveDescription(description as OnnxDescription, folder);
  } catch (error) {
    if (error instanceof AntennaConfigError) return error.message;
    throw error;
  }
  return 'nothing';
}

const classifier = { model: 'names.onnx', labels: ['moth', 'other'] };

describe('a description', () => {
  it('becomes a pipeline with a detector and classifiers that can be registered', () => {
    const description = describing(
      {},
      {
        classifiers: [
          { ...classifier, key: 'moth-or-not' },
          {
            model: 'names.onnx',
            key: 'species',
            name: 'Moths of Denmark',
            labels: ['Noctua pronuba', 'Agrotis segetum'],
            after: { algorithm: 'moth-or-not', labels: ['moth'] },
          },
        ],
      },
    );
    const pipeline = onnxPipeline(description, { folder: folderWith() });
    expect(pipeline.slug).toBe('blobs');
    expect(pipeline.detector.key).toBe('blobs-detector');
    expect([...pipeline.algorithms.keys()]).toEqual(['blobs-detector', 'moth-or-not', 'species']);
    expect(pipeline.algorithms.get('species')).toMatchObject({
      name: 'Moths of Denmark',
      task_type: 'classification',
      category_map: { labels: ['Noctua pronuba', 'Agrotis segetum'] },
    });
  });

  it('comes from a folder with antenna.json', () => {
    const folder = folderWith({ 'antenna.json': JSON.stringify(describing()) });
    expect(onnxPipeline.fromFolder(folder).slug).toBe('blobs');
    expect(() => onnxPipeline.fromFolder(join(folder, 'absent'))).toThrow(/there is no .*antenna\.json/);
    writeFileSync(join(folder, 'antenna.json'), '{ "name": ');
    expect(() => onnxPipeline.fromFolder(folder)).toThrow(/antenna\.json cannot be read/);
  });

  it('is refused with the name of every wrong field', () => {
    const message = wrongIn({
      ...describing({ confidence: 2, tiles: { overlap: 1 } }),
      version: 'one',
      classifiers: [{ model: 'names.onnx' }],
      detecter: {},
    });
    for (const part of [
      'version:',
      'detector.confidence:',
      'detector.tiles.overlap:',
      'classifiers.0: must have labels or categoryMap',
      'detecter',
    ])
      expect(message).toContain(part);
  });

  it('is refused where a file is missing', () => {
    expect(wrongIn(describing({ model: 'gone.onnx' }))).toMatch(/detector\.model: .*gone\.onnx is no file/);
    expect(wrongIn(describing({ labels: 'gone.txt' }))).toMatch(/detector\.labels: .*gone\.txt is no file/);
  });

  it('is refused where a step follows one that is not there, or a label that it does not give', () => {
    const after = { algorithm: 'moth-or-not', labels: ['butterfly'] };
    expect(wrongIn(describing({}, { classifiers: [{ ...classifier, after }] }))).toMatch(
      /classifiers\.0\.after\.algorithm: must be the key of an earlier classifier \(there is none\)/,
    );
    const first = { ...classifier, key: 'moth-or-not' };
    expect(wrongIn(describing({}, { classifiers: [first, { ...classifier, after }] }))).toMatch(
      /classifiers\.1\.after\.labels: butterfly must be among classifiers\.0\.labels/,
    );
    expect(wrongIn(describing({ keep: ['wasp'] }))).toMatch(
      /detector\.keep: wasp must be among detector\.labels/,
    );
  });

  it('reads labels a line each, or as JSON, and never shifts them', () => {
    const labels = (text: string): readonly string[] | string => {
      const folder = folderWith({ 'labels.txt': text });
      try {
        return resolveDescription(describing({ labels: 'labels.txt' }), folder).detector.labels ?? [];
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(labels('moth\r\nfly\r\n')).toEqual(['moth', 'fly']);
    expect(labels('["moth", "fly"]')).toEqual(['moth', 'fly']);
    expect(labels('moth\n\nfly\n')).toMatch(/has an empty line among its labels/);
    expect(labels('[1, 2]')).toMatch(/must hold an array of texts/);
  });

  it('reads a category map, and refuses one that is not in the order of the outputs', () => {
    const withMap = (map: object): string => {
      const folder = folderWith({ 'map.json': JSON.stringify(map) });
      return wrongIn(
        describing({}, { classifiers: [{ model: 'names.onnx', categoryMap: 'map.json' }] }),
        folder,
      );
    };
    const entry = (index: number, label: string): object => ({ index, label });
    expect(withMap({ data: [entry(0, 'a'), entry(1, 'b')] })).toBe('nothing');
    expect(withMap({ data: [entry(1, 'a'), entry(0, 'b')] })).toMatch(
      /classifiers\.0\.categoryMap: data\.0 has index 1; entries must be in the order/,
    );
    expect(withMap({ labels: ['a'] })).toMatch(/classifiers\.0\.categoryMap: data/);
  });
});

describe('the published schema', () => {
  it('names the fields of the description, and says what each is', () => {
    const schema = onnxJsonSchema() as {
      properties: Record<string, { description?: string }>;
      required: string[];
    };
    expect(schema.required).toEqual(['name', 'slug', 'version', 'detector']);
    expect(schema.properties['version']?.description).toMatch(/Version of the pipeline/);
    expect(JSON.stringify(schema)).toContain('Slices of the image');
  });
});

describe('the packages that are needed', () => {
  it('are named with the command that installs them', () => {
    const without = (missing: string) => (): void => {
      checkPeers((name) => {
        if (name === missing) throw new Error('not found');
      });
    };
    expect(without('none')).not.toThrow();
    expect(without('sharp')).toThrow(/sharp cannot be found. Install with: npm install sharp$/);
    expect(without('onnxruntime-node')).toThrow(/npm install onnxruntime-node \(on Linux, --onnxruntime/);
  });
});

describe('threads', () => {
  const machine = { platform: 'linux' as const, cores: 8, workers: Number.NaN };

  it('never outnumber the cores, whatever the sessions and workers', () => {
    for (const cores of [2, 3, 4, 8, 64])
      for (const workersPerMachine of [1, 2, 4])
        for (const sessions of [1, 2]) {
          const share = resolveRuntime({ sessions, workersPerMachine }, { ...machine, cores });
          const threads = share.prepareThreads + share.sessions * share.threadsPerSession;
          if (cores / workersPerMachine >= sessions + 1)
            expect(threads * workersPerMachine).toBeLessThanOrEqual(cores);
        }
  });

  it('are shared with the other workers of the machine when the environment says how many', () => {
    expect(resolveRuntime({}, machine)).toMatchObject({ prepareThreads: 4, threadsPerSession: 4 });
    expect(resolveRuntime({}, { ...machine, workers: 4 })).toMatchObject({
      prepareThreads: 1,
      threadsPerSession: 1,
    });
  });

  it('run on the providers in the order of wish, with the CPU as the last', () => {
    expect(resolveRuntime({ providers: ['cpu', 'tensorrt', 'cuda'] }, machine).providers).toEqual([
      'tensorrt',
      'cuda',
      'cpu',
    ]);
    expect(resolveRuntime({}, { ...machine, platform: 'darwin' }).providers).toEqual(['coreml', 'cpu']);
  });
});

describe('the input of a model', () => {
  const fallback = { width: 640, height: 640 };
  const input = (shape: readonly (number | string)[], type = 'float32', wanted?: typeof fallback): unknown =>
    imageInputOf([{ name: 'images', type, shape }], wanted, fallback);

  it('is found with its order, size and batch', () => {
    expect(input([1, 3, 480, 640])).toMatchObject({ layout: 'nchw', width: 640, height: 480, batch: 1 });
    expect(input(['b', 320, 320, 3], 'uint8')).toMatchObject({
      layout: 'nhwc',
      width: 320,
      batch: undefined,
    });
    expect(input(['b', 'c', 'h', 'w'])).toMatchObject({ layout: 'nchw', width: 640, height: 640 });
    expect(input([3, 'h', 'w'], 'float16', { width: 800, height: 600 })).toMatchObject({
      rank: 3,
      width: 800,
    });
  });

  it('is refused with what was found and what was expected', () => {
    expect(input([1, 1, 640, 640])).toMatch(
      /its inputs are "images" float32 \[1, 1, 640, 640\]; expected is one image/,
    );
    expect(input([1, 512])).toMatch(/expected is one image/);
    expect(input([1, 3, 640, 640], 'int64')).toMatch(/expected is one image/);
    expect(input([1, 3, 640, 640], 'float32', { width: 320, height: 320 })).toMatch(
      /inputSize is 320 × 320, and the model's is fixed to 640 × 640/,
    );
  });
});
