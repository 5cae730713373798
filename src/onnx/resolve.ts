import { availableParallelism } from 'node:os';
import type { AlgorithmConfig, CategoryMap, PipelineConfig } from '../contract/registration.js';
import { AntennaConfigError } from '../errors/config.js';
import { issuesOf } from '../contract/issues.js';
import type { Activation } from './activation.js';
import {
  ONNX_DEFAULTS,
  onnxDescriptionSchema,
  type ClassifierDescription,
  type DetectorDescription,
  type NormaliseDescription,
  type OnnxDescription,
  type RuntimeDescription,
} from './description.js';
import { DescriptionFiles } from './description-files.js';
import type { CropRule, Fit, Size, Tiling } from './geometry.js';
import type { LayoutKind } from './layouts.js';
import { NORMALISATIONS, type Normalisation } from './pixels.js';
import { resolveRuntime, type ResolvedRuntime } from './machine-share.js';

/** What a model needs from its description, with paths and defaults filled in. It can be sent to a thread. */
export interface ResolvedModel {
  /** Where it stands in the description, for messages: `detector`, `classifiers.0`. */
  readonly where: string;
  readonly path: string;
  readonly inputSize: Size | undefined;
  readonly normalisation: Normalisation | undefined;
  readonly channels: 'rgb' | 'bgr';
  readonly resample: 'nearest' | 'linear' | 'cubic' | 'lanczos3';
  readonly padding: number;
  readonly outputName: string | undefined;
}

export interface ResolvedDetector extends ResolvedModel {
  readonly wanted: LayoutKind | 'auto';
  readonly fit: Fit | undefined;
  readonly labels: readonly string[] | undefined;
  /** Indexes of the classes that are kept; undefined: all. */
  readonly keep: readonly number[] | undefined;
  readonly confidence: number;
  readonly iou: number;
  readonly agnostic: boolean;
  readonly maxDetections: number;
  readonly tiles: (Tiling & { readonly wholeImage: boolean; readonly maxTiles: number }) | undefined;
}

export interface ResolvedClassifier extends ResolvedModel {
  readonly key: string;
  readonly labels: readonly string[];
  readonly crop: CropRule;
  readonly activation: Activation;
  /** Number of an earlier classifier, and the classes of it that this one goes on with. */
  readonly after: { readonly classifier: number; readonly classes: readonly number[] } | undefined;
  readonly terminal: boolean | undefined;
}

/** A description after checks and defaults. */
export interface ResolvedDescription {
  readonly config: PipelineConfig;
  readonly detector: ResolvedDetector;
  readonly classifiers: readonly ResolvedClassifier[];
  readonly runtime: ResolvedRuntime;
  readonly batchSize: number;
}

/**
 * Checks a description and the files that it names, as far as that goes without running a model.
 * @param folder - which relative paths start from.
 * @throws AntennaConfigError naming every wrong field.
 */
export function resolveDescription(description: OnnxDescription, folder: string): ResolvedDescription {
  const subject = 'Invalid ONNX description';
  const parsed = onnxDescriptionSchema.safeParse(description);
  if (!parsed.success) throw new AntennaConfigError(subject, issuesOf(parsed.error));
  const { name, slug, version, detector, classifiers = [], runtime = {}, batchSize } = parsed.data;
  const reader = new DescriptionFiles(folder);
  const keyed = classifiers.map((classifier, index) => ({
    ...classifier,
    key: classifier.key ?? `${slug}-classifier${index === 0 ? '' : `-${index + 1}`}`,
  }));
  const maps = keyed.map((classifier, index) => reader.categoryMap(classifier, `classifiers.${index}`));
  const labels = maps.map((map) => map.data.map(({ label }) => label));
  const config: PipelineConfig = {
    name,
    slug,
    version,
    ...(parsed.data.description === undefined ? {} : { description: parsed.data.description }),
    algorithms: [
      algorithmOf({ ...detector, key: detector.key ?? `${slug}-detector` }, version),
      ...keyed.map((classifier, index) => algorithmOf(classifier, version, maps[index])),
    ],
  };
  const resolved = {
    config,
    detector: resolveDetector(detector, reader),
    classifiers: keyed.map((classifier, index) =>
      resolveClassifier(classifier, index, { keys: keyed.map(({ key }) => key), labels, reader }),
    ),
    runtime: runtimeOf(runtime),
    batchSize: batchSize ?? ONNX_DEFAULTS.batchSize,
  };
  if (reader.issues.length > 0) throw new AntennaConfigError(subject, reader.issues);
  return resolved;
}

function runtimeOf(runtime: RuntimeDescription): ResolvedRuntime {
  return resolveRuntime(runtime, {
    platform: process.platform,
    cores: availableParallelism(),
    workers: Number(process.env['ANTENNA_WORKERS_PER_MACHINE']),
  });
}

function algorithmOf(
  model: Pick<DetectorDescription, 'name' | 'version' | 'description' | 'uri'> & { readonly key: string },
  version: number,
  map?: CategoryMap,
): AlgorithmConfig {
  return {
    key: model.key,
    name: model.name ?? model.key,
    version: model.version ?? version,
    task_type: map ? 'classification' : 'detection',
    ...(model.description === undefined ? {} : { description: model.description }),
    ...(model.uri === undefined ? {} : { uri: model.uri }),
    ...(map ? { category_map: map } : {}),
  };
}

function resolveModel(
  model: DetectorDescription | ClassifierDescription,
  where: string,
  padding: number,
  reader: DescriptionFiles,
): ResolvedModel {
  const { inputSize } = model;
  return {
    where,
    path: reader.file(model.model, `${where}.model`),
    inputSize: typeof inputSize === 'number' ? { width: inputSize, height: inputSize } : inputSize,
    normalisation: normalisationOf(model.normalise),
    channels: model.channels ?? 'rgb',
    resample: model.resample ?? 'linear',
    padding: model.padding ?? padding,
    outputName: model.outputName,
  };
}

function normalisationOf(normalise: NormaliseDescription | undefined): Normalisation | undefined {
  if (normalise === undefined) return undefined;
  return typeof normalise === 'string'
    ? NORMALISATIONS[normalise]
    : { ...NORMALISATIONS.unit, ...withoutUndefined(normalise) };
}

function withoutUndefined<Value extends object>(
  value: Value,
): { [Name in keyof Value]: NonNullable<Value[Name]> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as never;
}

function resolveDetector(detector: DetectorDescription, reader: DescriptionFiles): ResolvedDetector {
  const { tiles } = detector;
  const labels =
    typeof detector.labels === 'string' ? reader.labels(detector.labels, 'detector.labels') : detector.labels;
  return {
    ...resolveModel(detector, 'detector', ONNX_DEFAULTS.detectorPadding, reader),
    wanted: detector.output ?? 'auto',
    fit: detector.fit,
    labels,
    keep: detector.keep && reader.indexes(detector.keep, labels ?? [], 'detector.keep', 'detector.labels'),
    confidence: detector.confidence ?? ONNX_DEFAULTS.confidence,
    iou: detector.iou ?? ONNX_DEFAULTS.iou,
    agnostic: detector.agnostic ?? true,
    maxDetections: detector.maxDetections ?? ONNX_DEFAULTS.maxDetections,
    tiles: tiles && {
      scales: tiles.scales ?? [1],
      overlap: tiles.overlap ?? ONNX_DEFAULTS.overlap,
      wholeImage: tiles.wholeImage ?? true,
      maxTiles: tiles.maxTiles ?? ONNX_DEFAULTS.maxTiles,
    },
  };
}

interface ClassifierSurroundings {
  readonly keys: readonly string[];
  /** Of all classifiers. */
  readonly labels: readonly (readonly string[])[];
  readonly reader: DescriptionFiles;
}

function resolveClassifier(
  classifier: ClassifierDescription & { readonly key: string },
  index: number,
  { keys, labels, reader }: ClassifierSurroundings,
): ResolvedClassifier {
  const where = `classifiers.${index}`;
  const { after } = classifier;
  const earlier = after ? keys.slice(0, index).indexOf(after.algorithm) : -1;
  if (after && earlier === -1) {
    const known = keys.slice(0, index).join(', ');
    reader.issues.push({
      path: `${where}.after.algorithm`,
      message: `must be the key of an earlier classifier (${known === '' ? 'there is none' : known})`,
    });
  }
  return {
    ...resolveModel(classifier, where, 0, reader),
    key: classifier.key,
    labels: labels[index] ?? [],
    crop: { padding: classifier.crop?.padding ?? 0, square: classifier.crop?.square ?? true },
    activation: classifier.activation ?? 'softmax',
    after:
      after && earlier !== -1
        ? {
            classifier: earlier,
            classes: reader.indexes(
              after.labels,
              labels[earlier] ?? [],
              `${where}.after.labels`,
              `classifiers.${earlier}.labels`,
            ),
          }
        : undefined,
    terminal: classifier.terminal,
  };
}
