import { formatServerTimestamp } from '../../contract/timestamps.js';
import type { DeploymentRow, ProjectRow } from '../state/rows.js';
import { isSuperuser, roleIn } from '../wire/access.js';
import type { Call } from '../wire/call.js';
import * as permissions from './permissions.js';

export function projectReference(call: Call, project: ProjectRow): Record<string, unknown> {
  return {
    id: project.id,
    name: project.name,
    details: call.url(`projects/${project.id}/`),
    user_permissions: permissions.ofProject(call.caller, project),
  };
}

export function deploymentReference(
  call: Call,
  deployment: DeploymentRow,
  project: ProjectRow,
): Record<string, unknown> {
  return {
    id: deployment.id,
    name: deployment.name,
    details: call.url(`deployments/${deployment.id}/`),
    user_permissions: permissions.ofDeployment(call.caller, project, call.antenna.settings.dialect),
  };
}

function summary(call: Call, project: ProjectRow): Record<string, unknown> {
  const deployments = call.store.deployments.filter((deployment) => deployment.projectId === project.id);
  return {
    id: project.id,
    name: project.name,
    description: '',
    details: call.url(`projects/${project.id}/`),
    deployments_count: deployments.length,
    created_at: formatServerTimestamp(project.createdAt),
    updated_at: formatServerTimestamp(project.updatedAt),
    image: null,
    draft: project.draft,
  };
}

export function projectListItem(call: Call, project: ProjectRow): Record<string, unknown> {
  return { ...summary(call, project), user_permissions: permissions.ofProject(call.caller, project) };
}

/** A project in full (contract §4.4); charts are left out, as with `?with_charts=false`. */
export function projectObject(call: Call, project: ProjectRow): Record<string, unknown> {
  const { store, caller } = call;
  const owner = store.users.get(project.ownerId);
  const userPermissions = permissions.ofProject(caller, project);
  const charts = call.query.has('with_charts') && !call.query.flag('with_charts') ? {} : { summary_data: [] };
  return {
    ...summary(call, project),
    deployments: store.deployments
      .filter((deployment) => deployment.projectId === project.id)
      .map((deployment) => ({
        id: deployment.id,
        name: deployment.name,
        image: null,
        details: call.url(`deployments/${deployment.id}/`),
        latitude: null,
        longitude: null,
        events_count: 0,
        user_permissions: permissions.ofDeployment(caller, project, call.antenna.settings.dialect),
      })),
    ...charts,
    owner: owner
      ? {
          id: owner.id,
          name: owner.name,
          image: null,
          details: call.url(`users/${owner.id}/`),
          user_permissions: [],
        }
      : null,
    feature_flags: {
      tags: false,
      reprocess_existing_detections: false,
      default_filters: false,
      reprocess_all_images: false,
      async_pipeline_workers: project.asyncPipelineWorkers,
    },
    settings: {
      default_filters_exclude_taxa: [],
      default_filters_include_taxa: [],
      default_filters_score_threshold: 0.5,
      default_processing_pipeline: null,
      session_time_gap_seconds: 7200,
      user_permissions: userPermissions,
    },
    is_member: isSuperuser(caller) || roleIn(caller, project) !== undefined,
    user_permissions: userPermissions,
  };
}
