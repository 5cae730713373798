import { formatServerTimestamp } from '../../contract/timestamps.js';
import type { AlgorithmRow, PipelineRow, ServiceRow } from '../state/rows.js';
import type { Call } from '../wire/call.js';
import { canSee } from '../wire/access.js';
import * as permissions from './permissions.js';

/** Registered stages are never stored; this placeholder is all a client ever sees (contract §4.8). */
const PLACEHOLDER_STAGES = [
  {
    key: 'default',
    name: 'Default Stage',
    params: [{ name: 'Placeholder', key: 'default', category: 'placeholder', value: 0 }],
  },
];

/** How every object of this file ends: the keys have the server's order. */
function foot(call: Call, row: AlgorithmRow | PipelineRow | ServiceRow): Record<string, unknown> {
  return {
    created_at: formatServerTimestamp(row.createdAt),
    updated_at: formatServerTimestamp(row.updatedAt),
    user_permissions: permissions.ofPlainObject(call.caller),
  };
}

function algorithmObject(call: Call, algorithm: AlgorithmRow): Record<string, unknown> {
  const map = algorithm.categoryMap;
  return {
    id: algorithm.id,
    details: call.url(`ml/algorithms/${algorithm.id}/`),
    name: algorithm.name,
    key: algorithm.key,
    description: algorithm.description,
    uri: algorithm.uri,
    version: algorithm.version,
    version_name: algorithm.versionName,
    task_type: algorithm.taskType,
    category_map: map && {
      id: map.id,
      details: call.url(`ml/labels/${map.id}/`),
      user_permissions: permissions.ofPlainObject(call.caller),
    },
    category_count: null,
    ...foot(call, algorithm),
  };
}

/** The short form inside jobs and processing services; it alone shows `version`. */
export function pipelineReference(call: Call, pipeline: PipelineRow): Record<string, unknown> {
  return {
    id: pipeline.id,
    details: call.url(`ml/pipelines/${pipeline.id}/`),
    name: pipeline.name,
    slug: pipeline.slug,
    description: pipeline.description,
    version: pipeline.version,
    version_name: pipeline.versionName,
    ...foot(call, pipeline),
  };
}

/** A pipeline (contract §4.8); with a project, services and links are limited to it. */
export function pipelineObject(
  call: Call,
  pipeline: PipelineRow,
  projectId?: number,
): Record<string, unknown> {
  const { store } = call;
  const inScope = (id: number): boolean => projectId === undefined || id === projectId;
  const services = store
    .servicesOf(pipeline.id)
    .filter((service) => projectId === undefined || service.projectIds.has(projectId));
  return {
    id: pipeline.id,
    details: call.url(`ml/pipelines/${pipeline.id}/`),
    name: pipeline.name,
    slug: pipeline.slug,
    description: pipeline.description,
    algorithms: store.algorithmsOf(pipeline).map((algorithm) => algorithmObject(call, algorithm)),
    stages: PLACEHOLDER_STAGES,
    processing_services: services.map((service) => ({
      name: service.name,
      id: service.id,
      details: call.url(`ml/processing_services/${service.id}/`),
      endpoint_url: service.endpointUrl,
      is_async: service.endpointUrl === null,
      last_seen: service.lastSeen === null ? null : formatServerTimestamp(service.lastSeen),
      last_seen_live: service.lastSeenLive,
      ...foot(call, service),
    })),
    project_pipeline_configs: pipeline.configs
      .filter((config) => inScope(config.projectId))
      .map((config) => ({
        id: config.id,
        project: call.url(`projects/${config.projectId}/`),
        pipeline: call.url(`ml/pipelines/${pipeline.id}/`),
        enabled: config.enabled,
        config: {},
        user_permissions: permissions.ofPipelineConfig(call.caller, store.projects.get(config.projectId)),
      })),
    ...foot(call, pipeline),
  };
}

/** True when the caller may see at least one project that the pipeline is linked to. */
export function pipelineIsVisible(call: Call, pipeline: PipelineRow): boolean {
  return pipeline.configs.some((config) => {
    const project = call.store.projects.get(config.projectId);
    return project !== undefined && canSee(call.caller, project);
  });
}
