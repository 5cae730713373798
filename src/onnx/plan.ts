import { AntennaConfigError, type ConfigIssue } from '../errors/config.js';
import type { Fit } from './geometry.js';
import { tellLayout, type Layout } from './layouts.js';
import type { ImageInput } from './model-input.js';
import { NORMALISATIONS, type InputFormat } from './pixels.js';
import type { ResolvedClassifier, ResolvedDescription, ResolvedDetector, ResolvedModel } from './resolve.js';
import { tensorsText, type Tensor } from './tensors.js';

/** What is known of a model once it is loaded and has run. */
export interface LoadedModel {
  readonly input: ImageInput;
  /** Outputs of the first run; their numbers mean nothing. */
  readonly outputs: readonly Tensor[];
  /** Images in one call at most. */
  readonly maxBatch: number;
  readonly provider: string;
  /** Why the providers that were wished for more are not in use, and other words for the log. */
  readonly notes: readonly string[];
  /** Milliseconds of a run after the first. */
  readonly runMs: number;
}

/** A detector ready to use. */
export interface PlannedDetector extends ResolvedDetector {
  readonly format: InputFormat;
  readonly layout: Layout;
  readonly fit: Fit;
  readonly maxBatch: number;
}

/** A classifier ready to use. */
export interface PlannedClassifier extends ResolvedClassifier {
  readonly format: InputFormat;
  /** The output with a number a label. */
  readonly output: string;
  readonly maxBatch: number;
}

/** Everything that the processing of an image needs to know. It can be sent to a thread. */
export interface Plan {
  readonly detector: PlannedDetector;
  readonly classifiers: readonly PlannedClassifier[];
}

/**
 * Brings description and models together.
 * @param loaded - the detector, then the classifiers.
 * @throws AntennaConfigError naming what was found and what was expected, for every model that does not fit.
 */
export function planOf(
  { config, detector, classifiers }: ResolvedDescription,
  loaded: readonly LoadedModel[],
): Plan {
  const issues: ConfigIssue[] = [];
  const [first, ...others] = loaded;
  if (!first || others.length !== classifiers.length)
    throw new RangeError(`${loaded.length} models for 1 detector and ${classifiers.length} classifiers`);
  const plannedDetector = planDetector(detector, first, issues);
  const plannedClassifiers = classifiers.flatMap((classifier, index) => {
    const model = others[index];
    return model ? (planClassifier(classifier, model, issues) ?? []) : [];
  });
  if (!plannedDetector || issues.length > 0)
    throw new AntennaConfigError(
      `The models of ${JSON.stringify(config.slug)} do not fit their description`,
      issues,
    );
  return { detector: plannedDetector, classifiers: plannedClassifiers };
}

function planDetector(
  detector: ResolvedDetector,
  model: LoadedModel,
  issues: ConfigIssue[],
): PlannedDetector | undefined {
  const { wanted, outputName, labels } = detector;
  const answer = tellLayout(model.outputs, {
    wanted,
    outputName,
    labels: labels?.length,
    input: model.input,
  });
  if (answer.problem !== undefined) {
    issues.push({ path: detector.where, message: answer.problem });
    return undefined;
  }
  const { layout } = answer;
  checkBytes(detector, model.input, issues);
  const isDetr = layout.kind === 'detr' || layout.kind === 'rt-detr';
  return {
    ...detector,
    layout,
    fit: detector.fit ?? (isDetr ? 'stretch' : 'letterbox'),
    format: formatOf(detector, model.input, layout.kind === 'detr' ? 'imagenet' : 'unit'),
    maxBatch: model.maxBatch,
  };
}

function planClassifier(
  classifier: ResolvedClassifier,
  model: LoadedModel,
  issues: ConfigIssue[],
): PlannedClassifier | undefined {
  const { labels, outputName, where } = classifier;
  const fitting = model.outputs.filter(
    ({ name, dims, data }) =>
      (outputName === undefined || name === outputName) &&
      dims.length >= 2 &&
      data.length === (dims[0] ?? 0) * labels.length,
  );
  const [output] = fitting;
  if (!output || fitting.length > 1) {
    const next =
      fitting.length > 1
        ? 'set outputName to the one to read'
        : 'the labels must be those it was trained on, in their order';
    const message = `its outputs are ${tensorsText(model.outputs)}; expected is one of [batch, ${labels.length}] for its ${labels.length} labels: ${next}`;
    issues.push({ path: where, message });
    return undefined;
  }
  checkBytes(classifier, model.input, issues);
  return {
    ...classifier,
    output: output.name,
    format: formatOf(classifier, model.input, 'imagenet'),
    maxBatch: model.maxBatch,
  };
}

/** A model that takes bytes normalises them itself: what the description says of that would be ignored without a word. */
function checkBytes(
  { where, normalisation }: ResolvedModel,
  { type }: ImageInput,
  issues: ConfigIssue[],
): void {
  if (type !== 'uint8' || normalisation === undefined || normalisation === NORMALISATIONS.raw) return;
  issues.push({ path: `${where}.normalise`, message: 'the model takes bytes (uint8): leave it out' });
}

function formatOf(
  { normalisation, channels, padding }: ResolvedModel,
  { width, height, type, layout }: ImageInput,
  usual: 'imagenet' | 'unit',
): InputFormat {
  return {
    width,
    height,
    type,
    layout,
    channels,
    padding,
    normalisation: normalisation ?? NORMALISATIONS[usual],
  };
}
