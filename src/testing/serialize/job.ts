import { formatServerTimestamp } from '../../contract/timestamps.js';
import type { JobRow } from '../state/rows.js';
import type { Call } from '../wire/call.js';
import { canSee } from '../wire/access.js';
import * as permissions from './permissions.js';
import { pipelineReference } from './pipeline.js';
import { deploymentReference, projectReference } from './project.js';

const JOB_TYPES: Readonly<Record<string, string>> = { ml: 'ML pipeline' };

/** An entry of the list with `ids_only`. */
export function jobIdItem(call: Call, job: JobRow): Record<string, unknown> {
  return {
    id: job.id,
    pipeline_slug: call.store.pipelines.get(job.pipelineId)?.slug ?? null,
    user_permissions: jobPermissions(call, job),
  };
}

/** A job in full (contract §4.10). */
export function jobObject(call: Call, job: JobRow): Record<string, unknown> {
  const { user_permissions: userPermissions, ...item } = jobListItem(call, job, true);
  return { ...item, result: null, user_permissions: userPermissions };
}

/** An entry of the normal list: as the object, without `result`; `token` leaves its logs out. */
export function jobListItem(call: Call, job: JobRow, withLogs = call.isKeyDialect): Record<string, unknown> {
  const { store } = call;
  const project = store.projects.get(job.projectId);
  const deployment = store.deployments.get(job.deploymentId);
  const pipeline = store.pipelines.get(job.pipelineId);
  return {
    id: job.id,
    details: call.url(`jobs/${job.id}/`),
    name: job.name,
    delay: job.delaySeconds,
    limit: job.limit,
    shuffle: job.shuffle,
    project: project ? projectReference(call, project) : null,
    deployment: deployment && project ? deploymentReference(call, deployment, project) : null,
    source_image_collection: null,
    source_image_single: singleCapture(call, job),
    pipeline: pipeline ? pipelineReference(call, pipeline) : null,
    status: job.status,
    created_at: formatServerTimestamp(job.createdAt),
    updated_at: formatServerTimestamp(job.updatedAt),
    started_at: job.startedAt === null ? null : formatServerTimestamp(job.startedAt),
    finished_at: job.finishedAt === null ? null : formatServerTimestamp(job.finishedAt),
    duration: duration(job),
    progress: job.progress,
    logs: withLogs
      ? { stdout: job.logs.toArray().reverse(), stderr: job.errorLogs.toArray().reverse() }
      : { stdout: [], stderr: [] },
    job_type: { name: JOB_TYPES[job.jobType] ?? job.jobType, key: job.jobType },
    data_export: null,
    dispatch_mode: job.dispatchMode,
    user_permissions: jobPermissions(call, job),
  };
}

function singleCapture(call: Call, job: JobRow): Record<string, unknown> | null {
  const capture = call.store.captures.get(job.singleCaptureId);
  return capture
    ? { id: capture.id, details: call.url(`captures/${capture.id}/`), user_permissions: [] }
    : null;
}

/** A text of seconds, or null while the job has no start or no end. */
function duration(job: JobRow): string | null {
  if (job.startedAt === null || job.finishedAt === null) return null;
  return ((job.finishedAt - job.startedAt) / 1000).toFixed(6);
}

function jobPermissions(call: Call, job: JobRow): readonly string[] {
  const project = call.store.projects.get(job.projectId);
  return project ? permissions.ofJob(call.caller, project, call.antenna.settings.dialect) : [];
}

/** True when the caller may see the job: that is, its project. */
export function jobIsVisible(call: Call, job: JobRow): boolean {
  const project = call.store.projects.get(job.projectId);
  return project !== undefined && canSee(call.caller, project);
}
