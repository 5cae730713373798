import { findStage, isFinalStatus } from '../jobs/progress.js';
import { JOB_STATUSES } from '../../contract/jobs.js';
import type { JobRow, ProjectRow } from '../state/rows.js';
import type { Call } from '../wire/call.js';
import type { Query } from '../wire/query.js';
import { crash, fieldErrors } from '../wire/refusal.js';

const DISPATCH_MODES = ['internal', 'sync_api', 'async_api'];

type Wanted = (job: JobRow) => boolean;

/** The rows that pass every filter of the query. @throws Refusal 400 naming each parameter with a bad value. */
export function filterJobs(call: Call, rows: readonly JobRow[], project: ProjectRow | undefined): JobRow[] {
  const { query } = call;
  checkCutoff(call);
  const errors: Record<string, string[]> = {};
  const tests: Wanted[] = [
    ...choice(query, errors, 'status', JOB_STATUSES, (job) => job.status),
    ...choice(query, errors, 'dispatch_mode', DISPATCH_MODES, (job) => job.dispatchMode),
    ...references(call, errors),
    ...slugs(call),
    ...search(call),
  ];
  if (Object.keys(errors).length > 0) throw fieldErrors(errors);
  if (project) tests.push((job) => job.projectId === project.id);
  if (query.flag('incomplete_only')) tests.push(isIncomplete);
  const jobType = query.get('job_type_key');
  if (jobType) tests.push((job) => job.jobType === jobType);
  return rows.filter((job) => tests.every((test) => test(job)));
}

/** Also hides running jobs whose `results` stage has a final status: those that crossed the failure threshold (T20). */
function isIncomplete(job: JobRow): boolean {
  const results = findStage(job.progress, 'results');
  return !isFinalStatus(job.status) && !(results && isFinalStatus(results.status));
}

function checkCutoff(call: Call): void {
  const text = call.query.get('cutoff_hours');
  if (text === undefined || /^\s*\d+\s*$/.test(text)) return;
  if (call.isKeyDialect) throw crash();
  throw fieldErrors({ cutoff_hours: ['A valid integer is required.'] });
}

function choice(
  query: Query,
  errors: Record<string, string[]>,
  name: string,
  known: readonly string[],
  read: (job: JobRow) => string,
): Wanted[] {
  const value = query.get(name);
  if (!value) return [];
  if (!known.includes(value)) {
    errors[name] = [`Select a valid choice. ${value} is not one of the available choices.`];
    return [];
  }
  return [(job) => read(job) === value];
}

/** Filters by id, which must exist: unlike `project_id`, `project` is strict. */
function references(call: Call, errors: Record<string, string[]>): Wanted[] {
  const { store, query } = call;
  const columns: [string, (id: number) => boolean, (job: JobRow) => number | null][] = [
    ['project', (id) => store.projects.get(id) !== undefined, (job) => job.projectId],
    ['deployment', (id) => store.deployments.get(id) !== undefined, (job) => job.deploymentId],
    ['pipeline', (id) => store.pipelines.get(id) !== undefined, (job) => job.pipelineId],
    ['source_image_collection', () => false, (job) => job.collectionId],
    ['source_image_single', (id) => store.captures.get(id) !== undefined, (job) => job.singleCaptureId],
  ];
  return columns.flatMap(([name, exists, read]): Wanted[] => {
    const value = query.get(name);
    if (!value) return [];
    if (!/^\d+$/.test(value) || !exists(Number(value))) {
      errors[name] = ['Select a valid choice. That choice is not one of the available choices.'];
      return [];
    }
    return [(job) => read(job) === Number(value)];
  });
}

/** Slugs named by the query; an empty value names none, and items are not trimmed. */
export function readSlugs(query: Query): string[] {
  const single = query.get('pipeline__slug');
  const several = query.get('pipeline__slug__in');
  return [...(single ? [single] : []), ...(several ? several.split(',') : [])];
}

function slugs(call: Call): Wanted[] {
  const slugOf = (job: JobRow): string | undefined => call.store.pipelines.get(job.pipelineId)?.slug;
  const single = call.query.get('pipeline__slug');
  const several = call.query.get('pipeline__slug__in');
  const tests: Wanted[] = [];
  if (single) tests.push((job) => slugOf(job) === single);
  if (several) tests.push((job) => several.split(',').includes(slugOf(job) ?? ''));
  return tests;
}

/** Every word must occur in the job's or the pipeline's name. */
function search(call: Call): Wanted[] {
  const words = (call.query.get('search') ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  if (words.length === 0) return [];
  return [
    (job) => {
      const names = `${job.name}\n${call.store.pipelines.get(job.pipelineId)?.name ?? ''}`.toLowerCase();
      return words.every((word) => names.includes(word));
    },
  ];
}
