import type { Page } from '../contract/common.js';
import { pipelinePageSchema, pipelineSchema, type Pipeline } from '../contract/pipelines.js';
import type { PipelineConfig } from '../contract/registration.js';
import { checkOptions, isId, type Id } from '../errors/arguments.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import type { RegistrationReport } from '../registration/report.js';
import { late } from '../time/late.js';
import type { ResourceCore } from './core.js';
import { LIST_OPTIONS, PagedList, type ListOptions } from './pages.js';
import type { RegisterOptions } from './register.js';

/** Once in the life of a worker at most, and never in most clients. */
const registration = late(() => import('./register.js'));

const LIST: Operation<Page<Pipeline>> = {
  id: 'pipelines.list',
  method: 'GET',
  path: '/ml/pipelines/',
  replay: 'always',
  response: pipelinePageSchema,
  list: { name: 'results', paged: true },
};
const GET: Operation<Pipeline> = {
  id: 'pipelines.get',
  method: 'GET',
  path: '/ml/pipelines/{id}/',
  replay: 'always',
  response: pipelineSchema,
};
const LIST_FOR_PROJECT: Operation<Page<Pipeline>> = {
  ...LIST,
  id: 'pipelines.listForProject',
  path: '/projects/{project}/pipelines/',
};

/** Upper bound of what a read-back fetches; a project with more pipelines is compared on the first this many. */
const MAX_READ_BACK = 2_000;

/** Pipelines: what a worker can do, and the models it does it with. */
export class PipelinesResource {
  readonly #core: ResourceCore;

  constructor(core: ResourceCore) {
    this.#core = core;
  }

  /**
   * Pipelines of all projects the caller sees. `project_id` is a filter that the server **ignores** when the project does not
   * exist (trap T16); {@link listForProject} is the strict way. There is no filter by slug.
   */
  list(query: ListOptions & { project_id?: Id } = {}, options?: RequestOptions): PagedList<Pipeline> {
    return new PagedList(this.#core, LIST, { query: { ...query } }, options, () => {
      checkOptions('Cannot list', query, { ...LIST_OPTIONS, project_id: isId });
    });
  }

  /** Pipelines enabled in one project; 404 if it does not exist. */
  listForProject(projectId: Id, query: ListOptions = {}, options?: RequestOptions): PagedList<Pipeline> {
    const input = { params: { project: projectId }, query: { ...query } };
    return new PagedList(this.#core, LIST_FOR_PROJECT, input, options, () => {
      checkOptions('Cannot list', query, LIST_OPTIONS);
    });
  }

  /** One pipeline by id. */
  get(pipelineId: Id, options?: RequestOptions): Promise<Pipeline> {
    return this.#core.http.request(GET, { params: { id: pipelineId } }, options);
  }

  /**
   * Registers pipelines for a project, and says what became of it. The server answers 201 also when it ignored part of the
   * request (trap T44), so the stored state is read back and compared; look at `report.ok`.
   *
   * An empty array changes nothing and tells the server that the worker is alive.
   * @throws AntennaConfigError before anything is sent, naming every problem: no detector or several, a classifier without a category
   * map, keys or names used twice, lengths, an unknown dialect, a missing service name.
   */
  async register(
    projectId: Id,
    pipelines: readonly PipelineConfig[],
    given: RegisterOptions = {},
  ): Promise<RegistrationReport> {
    return (await registration()).register(
      this.#core,
      { projectId, pipelines, options: given },
      (input, options) => new PagedList(this.#core, LIST_FOR_PROJECT, input, options).toArray(MAX_READ_BACK),
    );
  }
}
