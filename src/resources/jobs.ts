import { leftOutOf, noteLeftOut, type WithLeftOut } from '../contract/answer.js';
import type { Page } from '../contract/common.js';
import type { CreateJobRequest } from '../contract/create-job.js';
import {
  jobPageSchema,
  jobSchema,
  jobSummaryPageSchema,
  type Job,
  type JobStatus,
  type JobSummary,
} from '../contract/jobs.js';
import { AntennaConfigError } from '../errors/config.js';
import { checkOptions, isArray, isCount, isId, isText, type Check, type Id } from '../errors/arguments.js';
import { REQUEST_OPTIONS } from '../http/request-parts.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import { late } from '../time/late.js';
import type { ResourceCore } from './core.js';
import { LIST_OPTIONS, PagedList, type ListOptions } from './pages.js';

const creation = late(() => import('./create-job.js'));

const LIST: Operation<Page<Job>> = {
  id: 'jobs.list',
  method: 'GET',
  path: '/jobs/',
  replay: 'always',
  response: jobPageSchema,
  list: { name: 'results', paged: true },
};
const OPEN: Operation<Page<JobSummary>> = {
  ...LIST,
  id: 'jobs.open',
  response: jobSummaryPageSchema,
  list: { name: 'results', paged: false },
};
const GET: Operation<Job> = {
  id: 'jobs.get',
  method: 'GET',
  path: '/jobs/{id}/',
  replay: 'always',
  response: jobSchema,
};
type Action = 'run' | 'cancel' | 'retry';
const action = (name: Action): Operation<Job> => ({
  id: `jobs.${name}`,
  method: 'POST',
  path: `/jobs/{id}/${name}/`,
  // Cancelling twice ends the same; running or retrying a running job publishes every task again (contract §5.6).
  replay: name === 'cancel' ? 'always' : 'never',
  response: jobSchema,
});
const RUN = action('run');
const CANCEL = action('cancel');
const RETRY = action('retry');

/** Jobs that {@link JobsResource.open} asks for at once. The server has no maximum. */
const DEFAULT_OPEN_LIMIT = 200;

/** Log lines of a job that the server gives at most (contract §4.10). */
const MAX_LOG_LINES = 5_000;

/** Filters of {@link JobsResource.list} (contract §4.9). */
export interface JobListOptions extends ListOptions {
  readonly status?: JobStatus | undefined;
  /** The strict filter: a project that does not exist is an error, where `project_id` would be silently ignored (T16). */
  readonly project?: Id | undefined;
  readonly pipeline?: Id | undefined;
  readonly pipeline__slug?: string | undefined;
  readonly dispatch_mode?: 'internal' | 'sync_api' | 'async_api' | undefined;
  readonly ordering?: string | undefined;
  readonly search?: string | undefined;
}

/** What {@link JobsResource.open} looks for. */
export interface OpenJobsOptions {
  /** Slugs of the pipelines that the worker serves; at least one, since an empty filter means every pipeline (T18). */
  readonly pipelines: readonly string[];
  /** Only jobs of this project. */
  readonly project?: Id | undefined;
  /** Most jobs to return. Default 200. */
  readonly limit?: number | undefined;
}

const QUERY: { readonly [Name in keyof Required<JobListOptions>]: Check } = {
  ...LIST_OPTIONS,
  status: isText,
  project: isId,
  pipeline: isId,
  pipeline__slug: isText,
  dispatch_mode: isText,
  ordering: isText,
  search: isText,
};
const OPEN_QUERY: { readonly [Name in keyof Required<OpenJobsOptions>]: Check } = {
  pipelines: (slugs) =>
    isArray(slugs) ??
    ((slugs as unknown[]).every((slug) => typeof slug === 'string') ? undefined : 'must hold slugs'),
  project: isId,
  limit: (limit) =>
    isCount(1)(limit) && 'must be a whole number from 1: the server takes anything else for 20',
};

const GET_OPTIONS: Readonly<Record<string, Check>> = {
  ...REQUEST_OPTIONS,
  logsLimit: (lines) =>
    isCount(1)(lines) !== undefined || (lines as number) > MAX_LOG_LINES
      ? `must be a whole number from 1 to ${MAX_LOG_LINES}`
      : undefined,
};

/** Jobs: runs of a pipeline over images. */
export class JobsResource {
  readonly #core: ResourceCore;

  constructor(core: ResourceCore) {
    this.#core = core;
  }

  /** Jobs, newest first, of every project that the caller sees: the list is not scoped to the credential (trap T15). */
  list(query: JobListOptions = {}, options?: RequestOptions): PagedList<Job> {
    return new PagedList(this.#core, LIST, { query: { ...query } }, options, () => {
      checkOptions('Cannot list', query, QUERY);
    });
  }

  /**
   * Jobs that may have tasks for a worker of these pipelines, in one request with an explicit limit: without one a
   * `token` server returns a single random job (trap T17). A job in the list may still have nothing to do. Entries that cannot be read
   * are in the array's `leftOut`, and cost the others nothing.
   */
  async open(query: OpenJobsOptions, options?: RequestOptions): Promise<WithLeftOut<JobSummary[]>> {
    checkOptions('Cannot list open jobs', query, OPEN_QUERY);
    const slugs = openSlugs(query.pipelines);
    const limit = query.limit ?? DEFAULT_OPEN_LIMIT;
    const page = await this.#core.http.request(
      OPEN,
      {
        query: {
          ids_only: true,
          status: 'STARTED',
          dispatch_mode: 'async_api',
          pipeline__slug__in: slugs.join(','),
          project: query.project,
          limit,
        },
      },
      options,
    );
    return noteLeftOut(page.results, leftOutOf(page));
  }

  /**
   * One job with its progress.
   * @param given - request options, and `logsLimit`: log lines to send along, 1 to 5,000; the server's default is 1,000. A server of
   * the `api-key` dialect sends all.
   */
  async get(jobId: Id, given: RequestOptions & { logsLimit?: number } = {}): Promise<Job> {
    checkOptions('Cannot get a job', given, GET_OPTIONS);
    const { logsLimit, ...options } = given;
    const query = logsLimit === undefined ? {} : { logs_limit: logsLimit };
    return this.#core.http.request(GET, { params: { id: jobId }, query }, options);
  }

  /**
   * Creates a job. Whether it is dispatched to workers (`async_api`) is decided by a flag of the project.
   * @param given - request options, and `start`: enqueue it at once; needs the permission to run jobs, without which nothing is created.
   * @throws AntennaConfigError naming each wrong field; nothing was sent.
   */
  async create(request: CreateJobRequest, given: RequestOptions & { start?: boolean } = {}): Promise<Job> {
    return (await creation()).createJob(this.#core, request, given);
  }

  /** Enqueues a job. On one that is running it would publish every task a second time. */
  run(jobId: Id, options?: RequestOptions): Promise<Job> {
    return this.#core.http.request(RUN, { params: { id: jobId } }, options);
  }

  /** Cancels a job: its tasks are gone, and results in flight are accepted and thrown away (contract §5.6). */
  cancel(jobId: Id, options?: RequestOptions): Promise<Job> {
    return this.#core.http.request(CANCEL, { params: { id: jobId } }, options);
  }

  /** Starts a finished job over. */
  retry(jobId: Id, options?: RequestOptions): Promise<Job> {
    return this.#core.http.request(RETRY, { params: { id: jobId } }, options);
  }
}

/** Slugs for a filter in which a comma separates and nothing at all means everything. */
function openSlugs(pipelines: readonly string[] = []): string[] {
  const slugs = pipelines.filter((slug) => slug !== '');
  const comma = slugs.find((slug) => slug.includes(','));
  if (slugs.length > 0 && comma === undefined) return slugs;
  const message =
    comma === undefined
      ? 'must name at least one pipeline slug: an empty filter matches the jobs of all'
      : `${JSON.stringify(comma)} contains a comma, with which the server separates slugs`;
  throw new AntennaConfigError('Cannot list open jobs', [{ path: 'pipelines', message }]);
}
