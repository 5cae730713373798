import { cancelJob, discardQueue, enqueueJob, retryJob } from '../jobs/lifecycle.js';
import type { ResponseRecord } from '../messages.js';
import { jobObject } from '../serialize/job.js';
import { addJob } from '../state/jobs.js';
import type { DispatchMode, ProjectRow } from '../state/rows.js';
import { FieldReader } from '../validate/fields.js';
import { denied, demand, mayCreateJobs, mayDeleteJobs, mayRunJobs } from '../wire/access.js';
import { ACTION_ALLOW, DETAIL_ALLOW, LIST_ALLOW } from '../wire/call.js';
import type { Call, Handler, Route } from '../wire/call.js';
import { crash, fieldErrors, notFound } from '../wire/refusal.js';
import { empty, json } from '../wire/respond.js';
import { listJobs } from './job-list.js';
import { findJob, optionalProject } from './lookup.js';
import { postResult } from './results.js';
import { takeTasks } from './tasks.js';

const MAX_LOGS = 5000;
const NAME_LIMIT = 255;

function detail(call: Call): ResponseRecord {
  const logsLimit = call.query.get('logs_limit');
  if (!call.isKeyDialect && logsLimit !== undefined) checkLogsLimit(logsLimit);
  const { job } = findJob(call);
  const filter = optionalProject(call);
  if (filter && filter.id !== job.projectId) throw notFound();
  return json(200, jobObject(call, job));
}

function checkLogsLimit(text: string): void {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw fieldErrors({ logs_limit: ['A valid integer is required.'] });
  const limit = Number(text);
  if (limit < 1) throw fieldErrors({ logs_limit: ['Ensure this value is greater than or equal to 1.'] });
  if (limit > MAX_LOGS) {
    throw fieldErrors({ logs_limit: [`Ensure this value is less than or equal to ${MAX_LOGS}.`] });
  }
}

/** The body is checked before the caller (contract §13). */
function create(call: Call): ResponseRecord {
  const values = readJobFields(call);
  const { store, antenna } = call;
  const project = store.projects.get(values.projectId);
  if (!project) throw fieldErrors({ project_id: [missing(values.projectId)] });
  demand(mayCreateJobs(call.caller, project), call.caller);
  const startNow = call.query.flag('start_now');
  if (startNow && !mayRunJobs(call.caller, project)) throw denied(call.caller);
  if (values.jobType !== 'ml') throw crash();
  const job = addJob(antenna, { ...values, project, dispatchMode: dispatchMode(project, values.pipelineId) });
  if (startNow) enqueueJob(antenna, job);
  return json(201, jobObject(call, job));
}

function missing(id: number): string {
  return `Invalid pk "${id}" - object does not exist.`;
}

/** Decided once, at creation, from the project's flag (contract §4.11). */
function dispatchMode(project: ProjectRow, pipelineId: number | null): DispatchMode {
  if (pipelineId === null) return 'internal';
  return project.asyncPipelineWorkers ? 'async_api' : 'sync_api';
}

function readJobFields(call: Call) {
  const { store } = call;
  const fields = new FieldReader(call.body.data);
  const reference = (name: string, exists: (id: number) => boolean): number | null => {
    const id = fields.integer(name, { nullable: true }) ?? null;
    if (id !== null && !exists(id)) fields.fail(name, missing(id));
    return id;
  };
  const values = {
    name: fields.text('name', { required: true, max: NAME_LIMIT }) ?? '',
    projectId: fields.integer('project_id', { required: true }) ?? 0,
    delaySeconds: fields.integer('delay', { required: true }) ?? 0,
    limit: fields.integer('limit', { nullable: true }) ?? null,
    shuffle: fields.boolean('shuffle') ?? true,
    jobType: fields.text('job_type_key') ?? 'ml',
    pipelineId: reference('pipeline_id', (id) => store.pipelines.get(id) !== undefined),
    deploymentId: reference('deployment_id', (id) => store.deployments.get(id) !== undefined),
    singleCaptureId: reference('source_image_single_id', (id) => store.captures.get(id) !== undefined),
    collectionId: reference('source_image_collection_id', () => false),
  };
  fields.done();
  return values;
}

function remove(call: Call): ResponseRecord {
  const { job, project } = findJob(call);
  demand(mayDeleteJobs(call.caller, project, call.antenna.settings.dialect), call.caller);
  job.deleted = true;
  discardQueue(job);
  call.store.jobs.delete(job.id);
  return empty(204);
}

/** `run`, `cancel` and `retry`: no body, the job as it is then. */
function action(act: (call: Call, job: Parameters<typeof jobObject>[1]) => void): Handler {
  return (call) => {
    const { job, project } = findJob(call);
    demand(mayRunJobs(call.caller, project), call.caller);
    act(call, job);
    return json(200, jobObject(call, job));
  };
}

const run = action((call, job) => {
  enqueueJob(call.antenna, job);
});
const cancel = action((call, job) => {
  cancelJob(call.antenna, job);
});
const retry = action((call, job) => {
  retryJob(call.antenna, job);
});

export const jobRoutes: readonly Route[] = [
  { pattern: /^jobs\/$/, allow: LIST_ALLOW, methods: { GET: listJobs, POST: create } },
  { pattern: /^jobs\/([^/.]+)\/$/, allow: DETAIL_ALLOW, methods: { GET: detail, DELETE: remove } },
  { pattern: /^jobs\/([^/.]+)\/tasks\/$/, allow: ACTION_ALLOW, methods: { POST: takeTasks } },
  { pattern: /^jobs\/([^/.]+)\/result\/$/, allow: ACTION_ALLOW, methods: { POST: postResult } },
  { pattern: /^jobs\/([^/.]+)\/run\/$/, allow: ACTION_ALLOW, methods: { POST: run } },
  { pattern: /^jobs\/([^/.]+)\/cancel\/$/, allow: ACTION_ALLOW, methods: { POST: cancel } },
  { pattern: /^jobs\/([^/.]+)\/retry\/$/, allow: ACTION_ALLOW, methods: { POST: retry } },
];
