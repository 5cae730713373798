import type { JobRow, ProjectRow, ServiceRow } from '../state/rows.js';
import type { Call } from '../wire/call.js';
import { fieldErrors, notFound } from '../wire/refusal.js';
import { jobIsVisible } from '../serialize/job.js';

const INTEGER = /^\s*[+-]?\d+\s*$/;

/** A database id in a path; anything else than digits finds nothing. */
export function readId(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The job named in the path. @throws Refusal 404 when it is missing or invisible, without telling which. */
export function findJob(call: Call): { job: JobRow; project: ProjectRow } {
  const job = call.store.jobs.get(readId(call.params[0]));
  const project = call.store.projects.get(job?.projectId);
  if (!job || !project || !jobIsVisible(call, job)) throw notFound();
  return { job, project };
}

/** The service named in the path, if it belongs to the project. @throws Refusal 404. */
export function findService(call: Call, project: ProjectRow): ServiceRow {
  const service = call.store.services.get(readId(call.params[0]));
  if (!service?.projectIds.has(project.id)) throw notFound();
  return service;
}

/** A project id as the query gives it: `undefined` when absent or empty. @throws Refusal 400 when it is no id. */
function readProjectId(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  if (!INTEGER.test(text)) throw fieldErrors({ project_id: ['A valid integer is required.'] });
  const id = Number(text);
  if (id < 0) throw fieldErrors({ project_id: ['Ensure this value is greater than or equal to 0.'] });
  return id;
}

/** `project_id` as an optional filter: an id that does not exist is silently no filter (T16). */
export function optionalProject(call: Call): ProjectRow | undefined {
  return call.store.projects.get(readProjectId(call.query.get('project_id')));
}

/** `project_id` where it is required, in the query or in the body. @throws Refusal 400 or 404. */
export function requiredProject(call: Call, body?: Record<string, unknown>): ProjectRow {
  const id = readProjectId(call.query.get('project_id') ?? body?.project_id);
  if (id === undefined) throw fieldErrors({ project_id: ['This field is required.'] });
  const project = call.store.projects.get(id);
  if (!project) throw notFound();
  return project;
}

/** Sorts by one of the allowed names, `-` for descending; other values are ignored. */
export function orderBy<Row extends { id: number }>(
  rows: Row[],
  ordering: string | undefined,
  columns: Readonly<Record<string, (row: Row) => string | number | null>>,
): Row[] | undefined {
  const terms = (ordering ?? '').split(',').filter((term) => Object.hasOwn(columns, term.replace(/^-/, '')));
  if (terms.length === 0) return undefined;
  return [...rows].sort((a, b) => {
    for (const term of terms) {
      const column = columns[term.replace(/^-/, '')];
      const order = column ? compare(column(a), column(b)) : 0;
      if (order !== 0) return term.startsWith('-') ? -order : order;
    }
    // Rows made in the same millisecond keep their order of creation.
    return terms[0]?.startsWith('-') ? b.id - a.id : a.id - b.id;
  });
}

/** Nulls last, as PostgreSQL sorts them. */
function compare(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}
