import type { ResponseRecord } from '../messages.js';
import { jobIdItem, jobListItem } from '../serialize/job.js';
import { ofList } from '../serialize/permissions.js';
import type { JobRow, ProjectRow } from '../state/rows.js';
import { canSee, isSuperuser, mayCreateJobs } from '../wire/access.js';
import type { Call } from '../wire/call.js';
import { json } from '../wire/respond.js';
import { paginate } from '../wire/paginate.js';
import { pollHeartbeat } from './heartbeat.js';
import { filterJobs, readSlugs } from './job-filter.js';
import { optionalProject, orderBy } from './lookup.js';

/** `GET jobs/` (contract §4.9), with the differences of the dialects in order and default size (T17). */
export function listJobs(call: Call): ResponseRecord {
  const idsOnly = call.query.flag('ids_only');
  const project = optionalProject(call);
  const rows = filterJobs(
    call,
    call.store.jobs.filter((job) => visible(call, job)),
    project,
  );
  if (idsOnly) pollHeartbeat(call, readSlugs(call.query), project?.id);
  const ordered = orderBy(rows, call.query.get('ordering'), columns(call));
  const random = idsOnly && !call.isKeyDialect && !ordered;
  const page = {
    defaultLimit: idsOnly ? idsOnlyLimit(call) : call.antenna.settings.pageSize,
    count: rows.length,
    permissions: ofList(mayCreate(call, project)),
  };
  const listed = random
    ? call.antenna.random.shuffle(rows.flatMap((job) => copies(call, job)))
    : (ordered ?? [...rows].sort((a, b) => b.createdAt - a.createdAt || b.id - a.id));
  return json(
    200,
    paginate(call, listed, page, (job) => (idsOnly ? jobIdItem(call, job) : jobListItem(call, job))),
  );
}

/** `token` lists a single job unless `limit`, or any `page_size`, is given. */
function idsOnlyLimit(call: Call): number {
  return call.isKeyDialect || call.query.has('limit') || call.query.has('page_size')
    ? call.antenna.settings.pageSize
    : 1;
}

function visible(call: Call, job: JobRow): boolean {
  const project = call.store.projects.get(job.projectId);
  return project !== undefined && canSee(call.caller, project);
}

/**
 * In random order a job appears once for each member row that makes it visible to a logged-in user, because the random
 * number defeats the server's DISTINCT; `count` stays right.
 */
function copies(call: Call, job: JobRow): JobRow[] {
  const { caller, store } = call;
  const project = store.projects.get(job.projectId);
  if (caller.kind !== 'user' || caller.user.superuser || !project) return [job];
  const memberRows = project.draft && project.ownerId !== caller.user.id ? 1 : project.members.size;
  return Array.from({ length: Math.max(1, memberRows) }, () => job);
}

function mayCreate(call: Call, project: ProjectRow | undefined): boolean {
  return isSuperuser(call.caller) || (project !== undefined && mayCreateJobs(call.caller, project));
}

function columns(call: Call): Readonly<Record<string, (job: JobRow) => string | number | null>> {
  return {
    name: (job) => job.name,
    created_at: (job) => job.createdAt,
    updated_at: (job) => job.updatedAt,
    status: (job) => job.status,
    started_at: (job) => job.startedAt,
    finished_at: (job) => job.finishedAt,
    project: (job) => job.projectId,
    deployment: (job) => job.deploymentId,
    source_image_collection: (job) => job.collectionId,
    pipeline: (job) => call.store.pipelines.get(job.pipelineId)?.name ?? null,
  };
}
