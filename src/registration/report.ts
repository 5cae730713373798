import type { LeftOut } from '../contract/answer.js';
import type { Pipeline } from '../contract/pipelines.js';
import type { PipelineConfig } from '../contract/registration.js';

/** One thing that the server did otherwise than asked, with a 201 (trap T44). */
export interface RegistrationDeviation {
  /**
   * - `slug_taken`: a pipeline of the same name and version exists under another slug; jobs will carry that one.
   * - `not_listed`: the pipeline is not among the project's; its link may have been disabled there.
   * - `disabled`: linked to the project, and switched off by a project manager.
   * - `name_ignored`, `description_ignored`: an existing pipeline keeps what it has.
   * - `stages_ignored`: the server checks stages and stores none, ever.
   * - `algorithm_name_ignored`: an algorithm of this key exists and keeps its name.
   * - `algorithm_missing`: results that name this algorithm cannot be saved.
   * - `algorithm_extra`: an earlier registration's algorithm is still attached; they can only be added.
   * - `several_detectors`: with the old ones the pipeline has more than one detector, so no result can ever be saved (T48).
   */
  readonly kind:
    | 'slug_taken'
    | 'not_listed'
    | 'disabled'
    | 'name_ignored'
    | 'description_ignored'
    | 'stages_ignored'
    | 'algorithm_name_ignored'
    | 'algorithm_missing'
    | 'algorithm_extra'
    | 'several_detectors';
  readonly pipeline: string;
  readonly message: string;
}

/** What became of a registration. */
export interface RegistrationReport {
  /** True if every pipeline can take jobs and deliver results as registered. */
  readonly ok: boolean;
  /** The stored pipelines that were found for the request. */
  readonly pipelines: readonly Pipeline[];
  readonly deviations: readonly RegistrationDeviation[];
  /** What could not be read of the answers, and so was not compared: a pipeline among them shows as `not_listed`. Absent if nothing. */
  readonly leftOut?: readonly LeftOut[] | undefined;
}

/** Deviations that leave the pipeline working. */
const HARMLESS = new Set<RegistrationDeviation['kind']>([
  'name_ignored',
  'description_ignored',
  'stages_ignored',
  'algorithm_name_ignored',
  'algorithm_extra',
]);
const DETECTORS = new Set<unknown>(['detection', 'localization', 'segmentation']);

/**
 * Compares what was sent with what the project holds now.
 * @param sent - the configurations registered.
 * @param stored - the project's pipelines, read after the registration.
 */
export function compareRegistration(
  sent: readonly PipelineConfig[],
  stored: readonly Pipeline[],
): RegistrationReport {
  const deviations: RegistrationDeviation[] = [];
  const found: Pipeline[] = [];
  // Pipelines of one name and different versions may be registered together: none of them has taken another's slug.
  const strangers = stored.filter(({ slug }) => !sent.some((config) => config.slug === slug));
  for (const config of sent) {
    const pipeline = stored.find((candidate) => candidate.slug === config.slug);
    if (pipeline) {
      found.push(pipeline);
      deviations.push(...differences(config, pipeline));
    } else deviations.push(absent(config, strangers));
  }
  return { ok: deviations.every(({ kind }) => HARMLESS.has(kind)), pipelines: found, deviations };
}

function absent(config: PipelineConfig, stored: readonly Pipeline[]): RegistrationDeviation {
  const twin = stored.find((candidate) => candidate.name === config.name);
  return twin
    ? {
        kind: 'slug_taken',
        pipeline: config.slug,
        message:
          `the server keeps a pipeline named ${JSON.stringify(config.name)} under the slug ${JSON.stringify(twin.slug)}, ` +
          `and did not create ${JSON.stringify(config.slug)}: use that slug, or another name or version`,
      }
    : {
        kind: 'not_listed',
        pipeline: config.slug,
        message: `${JSON.stringify(config.slug)} is not among the project's pipelines; it may have been disabled there`,
      };
}

function differences(config: PipelineConfig, pipeline: Pipeline): RegistrationDeviation[] {
  const at = (kind: RegistrationDeviation['kind'], message: string): RegistrationDeviation => ({
    kind,
    pipeline: config.slug,
    message,
  });
  const found: RegistrationDeviation[] = [];
  const configs = pipeline.project_pipeline_configs ?? [];
  if (configs.length > 0 && configs.every(({ enabled }) => enabled === false)) {
    found.push(
      at('disabled', 'the pipeline is disabled in this project: a project manager has to enable it'),
    );
  }
  if (pipeline.name !== config.name) {
    found.push(at('name_ignored', `the server keeps the name ${JSON.stringify(pipeline.name)}`));
  }
  if (config.description !== undefined && (pipeline.description ?? '') !== (config.description ?? '')) {
    found.push(at('description_ignored', 'the server keeps the earlier description'));
  }
  if ((config.stages ?? []).length > 0) {
    found.push(at('stages_ignored', 'the server does not store stages'));
  }
  for (const algorithm of config.algorithms) {
    const kept = pipeline.algorithms.find(({ key }) => key === algorithm.key);
    if (kept && kept.name !== algorithm.name) {
      const message = `algorithm ${JSON.stringify(algorithm.key)} keeps the name ${JSON.stringify(kept.name)}`;
      found.push(at('algorithm_name_ignored', message));
    }
  }
  const sentKeys = new Set(config.algorithms.map(({ key }) => key));
  const storedKeys = new Set(pipeline.algorithms.map(({ key }) => key));
  for (const key of sentKeys) {
    if (!storedKeys.has(key))
      found.push(at('algorithm_missing', `algorithm ${JSON.stringify(key)} is not attached`));
  }
  for (const key of storedKeys) {
    if (!sentKeys.has(key))
      found.push(at('algorithm_extra', `algorithm ${JSON.stringify(key)} is still attached`));
  }
  const detectors = pipeline.algorithms.filter(({ task_type }) => DETECTORS.has(task_type));
  if (detectors.length > 1) {
    const keys = detectors.map(({ key }) => key).join(', ');
    found.push(
      at('several_detectors', `the stored pipeline has several detectors (${keys}): register a new slug`),
    );
  }
  return found;
}
