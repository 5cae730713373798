import type { Page } from '../contract/common.js';
import {
  processingServicePageSchema,
  processingServiceSchema,
  serviceStatusSchema,
  type ProcessingService,
  type ServiceStatus,
} from '../contract/processing-services.js';
import type { CreateServiceRequest } from '../contract/service-keys.js';
import { checkOptions, isText, type Check, type Id } from '../errors/arguments.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import { late } from '../time/late.js';
import { idOrNull, type ResourceCore } from './core.js';
import { LIST_OPTIONS, PagedList, type ListOptions } from './pages.js';
import type { GeneratedKey } from './service-keys.js';

const serviceKeys = late(() => import('./service-keys.js'));

const LIST: Operation<Page<ProcessingService>> = {
  id: 'processingServices.list',
  method: 'GET',
  path: '/ml/processing_services/',
  replay: 'always',
  response: processingServicePageSchema,
  list: { name: 'results', paged: true },
};
const GET: Operation<ProcessingService> = {
  id: 'processingServices.get',
  method: 'GET',
  path: '/ml/processing_services/{id}/',
  replay: 'always',
  response: processingServiceSchema,
};
const STATUS: Operation<ServiceStatus> = {
  id: 'processingServices.status',
  method: 'GET',
  path: '/ml/processing_services/{id}/status/',
  replay: 'always',
  response: serviceStatusSchema,
};
/** Filters of {@link ProcessingServicesResource.list}. */
export interface ServiceListOptions extends ListOptions {
  /** `id`, `created_at` or `updated_at`, with `-` in front for descending order. Default: the database's whim. */
  readonly ordering?: string | undefined;
}

const QUERY: { readonly [Name in keyof Required<ServiceListOptions>]: Check } = {
  ...LIST_OPTIONS,
  ordering: isText,
};

/** Processing services: what the server calls workers. Creating them and their keys needs a staff user's token. */
export class ProcessingServicesResource {
  readonly #core: ResourceCore;

  constructor(core: ResourceCore) {
    this.#core = core;
  }

  /** Services of a project. Without `ordering` the database gives them in no fixed order, and pages may overlap. */
  list(
    projectId: Id,
    query: ServiceListOptions = {},
    options?: RequestOptions,
  ): PagedList<ProcessingService> {
    const input = { query: { ...query, project_id: idOrNull(projectId) } };
    return new PagedList(this.#core, LIST, input, options, () => {
      checkOptions('Cannot list', query, QUERY);
    });
  }

  /** One service of a project. */
  get(projectId: Id, serviceId: Id, options?: RequestOptions): Promise<ProcessingService> {
    const input = { params: { id: serviceId }, query: { project_id: idOrNull(projectId) } };
    return this.#core.http.request(GET, input, options);
  }

  /** Whether the server saw the service in the last 60 s. A service that does not exist is a 500, not a 404. */
  status(serviceId: Id, options?: RequestOptions): Promise<ServiceStatus> {
    return this.#core.http.request(STATUS, { params: { id: serviceId } }, options);
  }

  /**
   * Creates a pull-mode service in a project. Never sent twice: names are not unique, so look in `list` first, and again after an
   * error that says it may have been delivered.
   * @throws AntennaConfigError for a missing name, or one over 46 characters, which would break key generation (trap T49).
   * @throws PermissionDeniedError unless the caller is staff or superuser.
   */
  async create(
    projectId: Id,
    request: CreateServiceRequest,
    options?: RequestOptions,
  ): Promise<ProcessingService> {
    return (await serviceKeys()).createService(this.#core, projectId, request, options);
  }

  /**
   * Generates a key for the service and **revokes all earlier ones at once**: running workers that use them get 401 (trap T10).
   * Never sent twice. Servers of the `token` dialect do not know this call and answer 404.
   */
  async generateKey(projectId: Id, serviceId: Id, options?: RequestOptions): Promise<GeneratedKey> {
    return (await serviceKeys()).generateKey(this.#core, projectId, serviceId, options);
  }

  /**
   * Whether the server knows API keys, which is what tells its dialect: the route of {@link generateKey} is asked for with GET, which
   * does nothing. With the client's own credential and no made-up key, so that it works behind a gateway too.
   * @throws AntennaError when the server cannot be reached, fails, or asks for patience.
   */
  async supportsKeys(options?: RequestOptions): Promise<boolean> {
    return (await serviceKeys()).supportsKeys(this.#core, options);
  }
}
