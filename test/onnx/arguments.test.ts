import { AntennaConfigError } from 'antenna-sdk';
import {
  inspectOnnxModel,
  onnxDescriptionSchema,
  onnxPipeline,
  type OnnxDescription,
} from 'antenna-sdk/onnx';
import { describe, expect, it } from 'vitest';
import { checkPeers } from '../../src/onnx/peers.js';
import { failure, thrown } from '../support/calls.js';

const hasPeers = (() => {
  try {
    checkPeers();
    return true;
  } catch {
    return false;
  }
})();

type Classifier = Exclude<OnnxDescription['classifiers'], undefined>[number];
const model = {
  ...{ model: 'm.onnx', key: 'k', name: 'M', version: 1, description: 'd', uri: 'https://m.example' },
  ...{
    inputSize: { width: 8, height: 8 },
    channels: 'rgb' as const,
    resample: 'linear' as const,
    padding: 0,
    outputName: 'o',
  },
} as const;

/** Every field of a description: the compiler asks for those that are missing. */
const WHOLE: Required<OnnxDescription> = {
  ...{ $schema: 'x', name: 'A', slug: 'a', version: 1, description: 'd', batchSize: 1 },
  detector: {
    ...model,
    normalise: { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
    ...{
      output: 'auto',
      fit: 'stretch',
      labels: ['x'],
      keep: ['x'],
      confidence: 0.5,
      iou: 0.5,
      agnostic: true,
    },
    ...{ maxDetections: 1, tiles: { scales: [1], overlap: 0.1, wholeImage: true, maxTiles: 1 } },
  } satisfies Required<OnnxDescription['detector']>,
  classifiers: [
    {
      ...model,
      ...{ normalise: 'unit', labels: ['x'], crop: { padding: 0, square: true }, activation: 'none' },
      ...{ after: { algorithm: 'k', labels: ['x'] }, terminal: true },
    } satisfies Required<Omit<Classifier, 'categoryMap'>>,
  ],
  runtime: {
    ...{ providers: ['cpu'], sessions: 1, threadsPerSession: 1, prepareThreads: 1, workersPerMachine: 1 },
    ...{ modelBatch: 1, memoryBytes: 1 },
  } satisfies Required<OnnxDescription['runtime']>,
};

type Path = readonly string[];

/** Each way to spoil a value, with the place that is wrong then. */
function* spoilt(value: unknown, path: Path = []): Generator<readonly [Path, unknown]> {
  for (const bad of [null, Number.NaN, Symbol('x'), () => undefined]) yield [path, bad];
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, { ...value, nonsense: 1 }];
  for (const [name, part] of Object.entries(value))
    for (const [at, bad] of spoilt(part, [...path, name])) {
      yield [
        at,
        Array.isArray(value)
          ? value.map((old: unknown, index) => (String(index) === name ? bad : old))
          : { ...value, [name]: bad },
      ];
    }
}

describe('antenna-sdk/onnx', () => {
  it('takes the description that this test spoils', () => {
    expect(onnxDescriptionSchema.safeParse(WHOLE).success).toBe(true);
  });

  // Without its peers the entry says that they are missing, whatever it is given.
  it.runIf(hasPeers)('refuses every bad field of a description, and names it', () => {
    for (const [path, bad] of spoilt(WHOLE)) {
      const error = thrown(() => onnxPipeline(bad as OnnxDescription));
      const label = path.join('.');
      expect(error, label).toBeInstanceOf(AntennaConfigError);
      const { issues } = error as unknown as AntennaConfigError;
      // A field with several forms is named as a whole.
      const named = issues.some((issue) => label === issue.path || label.startsWith(`${issue.path}.`));
      expect(named || (path.length < 2 && issues.length > 0), `${label}: ${error.message}`).toBe(true);
      expect(error.message, label).not.toContain('is no file');
    }
  });

  it.each([
    ['onnxPipeline', () => onnxPipeline(WHOLE, { foldr: '.' } as never), 'foldr'],
    ['onnxPipeline', () => onnxPipeline(WHOLE, { folder: 5 } as never), 'folder'],
    ['onnxPipeline', () => onnxPipeline(WHOLE, { execArgv: 'x' } as never), 'execArgv'],
    ['onnxPipeline', () => onnxPipeline(WHOLE, { execArgv: [5] } as never), 'execArgv'],
    ['onnxPipeline', () => onnxPipeline(WHOLE, null as never), 'folder'],
    ['fromFolder', () => onnxPipeline.fromFolder(undefined as never), 'folder'],
    ['fromFolder', () => onnxPipeline.fromFolder(5 as never), 'folder'],
    ['fromFolder', () => onnxPipeline.fromFolder(''), 'folder'],
    ['fromFolder', () => onnxPipeline.fromFolder('.', { folder: '.' } as never), 'folder'],
    ['fromFolder', () => onnxPipeline.fromFolder('.', 'x' as never), 'execArgv'],
  ])('%s refuses wrong arguments: %s', (_, call, name) => {
    const error = thrown(call);
    expect(error).toBeInstanceOf(AntennaConfigError);
    expect(error.message).toContain(name);
    expect(error.message).not.toMatch(/is no file|Install/);
  });

  it.each([undefined, null, 5, '', {}])('inspectOnnxModel refuses %o as a path', async (path) => {
    const error = await failure(inspectOnnxModel(path as never));
    expect(error).toBeInstanceOf(AntennaConfigError);
    expect(error.message).toContain('path');
  });
});
