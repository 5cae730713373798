import type { Page } from '../contract/common.js';
import {
  projectDetailSchema,
  projectPageSchema,
  type Project,
  type ProjectDetail,
} from '../contract/projects.js';
import { checkOptions, isId, isText, type Check, type Id } from '../errors/arguments.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import type { ResourceCore } from './core.js';
import { LIST_OPTIONS, PagedList, type ListOptions } from './pages.js';

const LIST: Operation<Page<Project>> = {
  id: 'projects.list',
  method: 'GET',
  path: '/projects/',
  replay: 'always',
  response: projectPageSchema,
  list: { name: 'results', paged: true },
};
const GET: Operation<ProjectDetail> = {
  id: 'projects.get',
  method: 'GET',
  path: '/projects/{id}/',
  replay: 'always',
  response: projectDetailSchema,
};

/** Filters of {@link ProjectsResource.list}. */
export interface ProjectListOptions extends ListOptions {
  /** `name`, `created_at` or `updated_at`, with `-` in front for descending order. */
  readonly ordering?: string | undefined;
  /** Restricts the list to projects this user belongs to. Must be the caller's own id. */
  readonly user_id?: Id | undefined;
}

const QUERY: { readonly [Name in keyof Required<ProjectListOptions>]: Check } = {
  ...LIST_OPTIONS,
  ordering: isText,
  user_id: isId,
};

/** Projects. The list holds every public project, not "mine" (contract §4.4). */
export class ProjectsResource {
  readonly #core: ResourceCore;

  constructor(core: ResourceCore) {
    this.#core = core;
  }

  /** Every public project, plus the drafts that the caller may see; use `user_id` for the caller's own. */
  list(query: ProjectListOptions = {}, options?: RequestOptions): PagedList<Project> {
    return new PagedList(this.#core, LIST, { query: { ...query } }, options, () => {
      checkOptions('Cannot list', query, QUERY);
    });
  }

  /**
   * One project. The charts that the server would add by default are expensive and left out.
   * @throws NotFoundError when it is missing or a draft that the caller does not see.
   */
  get(projectId: Id, options?: RequestOptions): Promise<ProjectDetail> {
    return this.#core.http.request(
      GET,
      { params: { id: projectId }, query: { with_charts: 'false' } },
      options,
    );
  }
}
