import {
  type AlgorithmConfig,
  CLASSIFIER_TASK_TYPES,
  DETECTOR_TASK_TYPES,
  type PipelineConfig,
} from '../contract/registration.js';
import type { ConfigIssue } from '../errors/config.js';

/**
 * Finds what the server would answer with a 500 without a reason, or accept and never be able to use: it does not check a
 * pipeline for a detector (trap T48), and key, version and map conflicts end in an HTML page (trap T45).
 *
 * @param pipelines - configurations that already have the right shape.
 * @returns every problem, with the path of the field; empty if the registration can work.
 */
export function registrationIssues(pipelines: readonly PipelineConfig[]): ConfigIssue[] {
  const issues = [...pipelineConflicts(pipelines)];
  const known = new Map<string, Located>();
  const names = new Map<string, Located>();
  pipelines.forEach((pipeline, pipelineIndex) => {
    const path = `pipelines.${pipelineIndex}`;
    issues.push(...detectorIssues(pipeline, path), ...repeatedKeys(pipeline, path));
    pipeline.algorithms.forEach((algorithm, index) => {
      const at: Located = { algorithm, path: `${path}.algorithms.${index}` };
      issues.push(...categoryMapIssues(at), ...conflicts(at, known, names));
    });
  });
  return issues;
}

interface Located {
  readonly algorithm: AlgorithmConfig;
  readonly path: string;
}

/** True if the algorithm finds things, as opposed to naming them. */
export function isDetector(algorithm: Pick<AlgorithmConfig, 'task_type'>): boolean {
  return DETECTOR_TASK_TYPES.includes(algorithm.task_type ?? '');
}

function detectorIssues(pipeline: PipelineConfig, path: string): ConfigIssue[] {
  const detectors = pipeline.algorithms.filter(isDetector).map((algorithm) => algorithm.key);
  if (detectors.length === 1) return [];
  const types = DETECTOR_TASK_TYPES.join(', ');
  const message =
    detectors.length === 0
      ? `needs exactly one algorithm with task_type ${types}; without one the server can never save a result`
      : `has ${detectors.length} detectors (${detectors.join(', ')}); with more than one of ${types} the server can never save a result`;
  return [{ path: `${path}.algorithms`, message }];
}

function repeatedKeys(pipeline: PipelineConfig, path: string): ConfigIssue[] {
  const keys = pipeline.algorithms.map((algorithm) => algorithm.key);
  return keys.flatMap((key, index) =>
    keys.indexOf(key) === index
      ? []
      : [
          {
            path: `${path}.algorithms.${index}.key`,
            message: `${JSON.stringify(key)} is used twice in this pipeline`,
          },
        ],
  );
}

function categoryMapIssues({ algorithm, path }: Located): ConfigIssue[] {
  const map = algorithm.category_map;
  if (!CLASSIFIER_TASK_TYPES.includes(algorithm.task_type ?? '') && !map) return [];
  if (!map) {
    const message = `is required for task_type ${algorithm.task_type ?? ''}: give data: [{ index, label }, …] in the order of the scores`;
    return [{ path: `${path}.category_map`, message }];
  }
  if (map.labels !== undefined && map.labels.length !== map.data.length) {
    const message = `has ${map.labels.length} labels but data has ${map.data.length} entries`;
    return [{ path: `${path}.category_map.labels`, message }];
  }
  return map.data.flatMap((entry, index) =>
    entry.index === undefined || entry.index === index
      ? []
      : [
          {
            path: `${path}.category_map.data.${index}.index`,
            message: `is ${entry.index} at position ${index}; the server goes by position, so list data in the order of the scores`,
          },
        ],
  );
}

/** The server finds algorithms by key and version; a known key with another version, or a name and version twice, is a 500. */
function conflicts(at: Located, known: Map<string, Located>, names: Map<string, Located>): ConfigIssue[] {
  const { algorithm, path } = at;
  const version = algorithm.version ?? 1;
  const issues: ConfigIssue[] = [];
  const sameKey = known.get(algorithm.key);
  if (sameKey && (sameKey.algorithm.version ?? 1) !== version) {
    issues.push({
      path: `${path}.version`,
      message: `key ${JSON.stringify(algorithm.key)} has version ${sameKey.algorithm.version ?? 1} in ${sameKey.path}; a new version needs a new key`,
    });
  }
  const nameKey = JSON.stringify([algorithm.name, version]);
  const sameName = names.get(nameKey);
  if (sameName && sameName.algorithm.key !== algorithm.key) {
    issues.push({
      path: `${path}.name`,
      message: `${JSON.stringify(algorithm.name)} version ${version} already has the key ${JSON.stringify(sameName.algorithm.key)} in ${sameName.path}; a new key needs a new name or version`,
    });
  }
  known.set(algorithm.key, sameKey ?? at);
  names.set(nameKey, sameName ?? at);
  return issues;
}

function pipelineConflicts(pipelines: readonly PipelineConfig[]): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  pipelines.forEach((pipeline, index) => {
    const earlier = pipelines.slice(0, index);
    if (earlier.some((other) => other.slug === pipeline.slug)) {
      issues.push({
        path: `pipelines.${index}.slug`,
        message: `${JSON.stringify(pipeline.slug)} is used twice; the server would take the first and ignore the second`,
      });
    } else if (earlier.some((other) => other.name === pipeline.name && other.version === pipeline.version)) {
      issues.push({
        path: `pipelines.${index}.name`,
        message: `${JSON.stringify(pipeline.name)} version ${pipeline.version} is used twice; the server would not create the slug ${JSON.stringify(pipeline.slug)}`,
      });
    }
  });
  return issues;
}
