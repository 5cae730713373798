import { z } from 'zod';
import {
  CLASSIFIER_TASK_TYPES,
  type PipelineConfig,
  pipelineConfigSchema,
} from '../contract/registration.js';
import { registrationIssues } from '../registration/precheck.js';
import { issuesOf } from '../resources/core.js';

/** A pipeline that the service offers and that cannot be served. */
export interface RefusedPipeline {
  readonly slug: string;
  readonly reason: string;
}

/** What a service says of itself, as Antenna can register it. */
export interface ServiceInfo {
  readonly name: string;
  readonly description: string | undefined;
  /** By slug. */
  readonly pipelines: ReadonlyMap<string, PipelineConfig>;
  readonly refused: readonly RefusedPipeline[];
  /** What was put right on the way, in words. */
  readonly notes: readonly string[];
}

const infoSchema = z.looseObject({
  name: z.string(),
  description: z.string().nullish(),
  pipelines: z.array(z.unknown()).nullish(),
});

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fields of each part that Antenna knows; a service's own are dropped, since a registration with them would be refused. */
const PIPELINE_FIELDS = ['name', 'slug', 'version', 'description', 'algorithms', 'stages'];
const ALGORITHM_FIELDS = [
  ...['name', 'key', 'version', 'version_name', 'description', 'task_type', 'uri', 'category_map'],
];
const MAP_FIELDS = ['data', 'labels', 'version', 'description', 'uri'];
const STAGE_FIELDS = ['key', 'name', 'description', 'params'];
const PARAM_FIELDS = ['name', 'key', 'category'];

/**
 * Turns an answer of `/info` into pipelines that can be registered. Each is judged for itself: one without a detector costs itself.
 * @returns undefined when it is no answer of a processing service.
 */
export function normaliseInfo(answer: unknown): ServiceInfo | undefined {
  const parsed = infoSchema.safeParse(answer);
  if (!parsed.success) return undefined;
  const notes: string[] = [];
  const refused: RefusedPipeline[] = [];
  const pipelines = new Map<string, PipelineConfig>();
  for (const [index, given] of (parsed.data.pipelines ?? []).entries()) {
    const slug = isObject(given) && typeof given['slug'] === 'string' ? given['slug'] : `(number ${index})`;
    const config = pipelineConfigSchema.safeParse(normalisePipeline(given, notes));
    const reasons = config.success
      ? registrationIssues([...pipelines.values(), config.data])
          .filter(({ path }) => path.startsWith(`pipelines.${pipelines.size}`))
          .map(({ path, message }) => `${path.replace(`pipelines.${pipelines.size}.`, '')}: ${message}`)
      : issuesOf(config.error).map(({ path, message }) => `${path}: ${message}`);
    if (config.success && reasons.length === 0) pipelines.set(config.data.slug, config.data);
    else refused.push({ slug, reason: reasons.join('; ') });
  }
  const { name, description } = parsed.data;
  return { name, description: description ?? undefined, pipelines, refused, notes };
}

function normalisePipeline(given: unknown, notes: string[]): unknown {
  if (!isObject(given)) return given;
  const slug = String(given['slug']);
  const { algorithms, stages } = given;
  return {
    ...pick(given, PIPELINE_FIELDS),
    algorithms: Array.isArray(algorithms)
      ? algorithms.map((algorithm: unknown) => normaliseAlgorithm(algorithm, slug, notes))
      : [],
    ...(Array.isArray(stages) ? { stages: stages.map(normaliseStage) } : {}),
  };
}

function normaliseStage(given: unknown): unknown {
  if (!isObject(given)) return given;
  const { params } = given;
  return {
    ...pick(given, STAGE_FIELDS),
    ...(Array.isArray(params)
      ? {
          params: params.map((param: unknown) => (isObject(param) ? pick(param, PARAM_FIELDS) : param)),
        }
      : {}),
  };
}

function normaliseAlgorithm(given: unknown, slug: string, notes: string[]): unknown {
  if (!isObject(given)) return given;
  const map = given['category_map'];
  const algorithm = pick(given, ALGORITHM_FIELDS);
  if (!isObject(map)) return algorithm;
  const isClassifier = CLASSIFIER_TASK_TYPES.includes(
    typeof given['task_type'] === 'string' ? given['task_type'] : '',
  );
  // An upstream slip: the declared default of the list is an object.
  const listed: unknown = map['data'];
  const data: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const labels = Array.isArray(map['labels'])
    ? map['labels'].filter((label): label is string => typeof label === 'string')
    : [];
  if (data.length === 0 && labels.length === 0 && !isClassifier) return { ...algorithm, category_map: null };
  if (data.length === 0 && labels.length > 0) {
    notes.push(
      `${slug}: the category map of ${String(given['key'])} has labels and no data; the data is made from the labels`,
    );
    const made = labels.map((label, index) => ({ index, label }));
    return { ...algorithm, category_map: { ...pick(map, MAP_FIELDS), data: made, labels } };
  }
  const { labels: _labels, ...rest } = pick(map, MAP_FIELDS);
  return { ...algorithm, category_map: { ...rest, data, ...(labels.length > 0 ? { labels } : {}) } };
}

function pick(object: Json, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([name]) => fields.includes(name)));
}
