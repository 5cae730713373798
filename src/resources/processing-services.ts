import { z } from 'zod';
import { Secret } from '../auth/secret.js';
import { leftOutOf, noteLeftOut } from '../contract/answer.js';
import type { Page } from '../contract/common.js';
import {
  createServiceRequestSchema,
  createServiceResponseSchema,
  generateKeyResponseSchema,
  processingServicePageSchema,
  processingServiceSchema,
  serviceStatusSchema,
  type CreateServiceRequest,
  type CreateServiceResponse,
  type ProcessingService,
  type ServiceStatus,
} from '../contract/processing-services.js';
import { AntennaApiError } from '../errors/api.js';
import { checkOptions, isText, type Check, type Id } from '../errors/arguments.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import { checkRequest, type ResourceCore } from './core.js';
import { LIST_OPTIONS, PagedList, type ListOptions } from './pages.js';

const BASE = '/ml/processing_services/';
const LIST: Operation<Page<ProcessingService>> = {
  id: 'processingServices.list',
  method: 'GET',
  path: BASE,
  replay: 'always',
  response: processingServicePageSchema,
  list: { name: 'results', paged: true },
};
const GET: Operation<ProcessingService> = {
  id: 'processingServices.get',
  method: 'GET',
  path: `${BASE}{id}/`,
  replay: 'always',
  response: processingServiceSchema,
};
const STATUS: Operation<ServiceStatus> = {
  id: 'processingServices.status',
  method: 'GET',
  path: `${BASE}{id}/status/`,
  replay: 'always',
  response: serviceStatusSchema,
};
const CREATE: Operation<CreateServiceResponse> = {
  id: 'processingServices.create',
  method: 'POST',
  path: BASE,
  // Names are not unique: a second try makes a second service, and an ambiguous name breaks registration.
  replay: 'never',
  response: createServiceResponseSchema,
};
const GENERATE_KEY: Operation<{ api_key: string; prefix: string; message?: string | undefined }> = {
  id: 'processingServices.generateKey',
  method: 'POST',
  path: `${BASE}{id}/generate_key/`,
  // Each call revokes the key that the call before it returned.
  replay: 'never',
  response: generateKeyResponseSchema,
  sensitive: true,
};

const KEY_ROUTE: Operation<unknown> = {
  id: 'processingServices.supportsKeys',
  method: 'GET',
  // No service has the id 0, and the route takes POST alone: a server that has it says 405, one without keys says 404.
  path: `${BASE}0/generate_key/`,
  replay: 'always',
  response: z.unknown(),
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

/** A new API key: its public prefix, and the key itself, unprintable. */
export interface GeneratedKey {
  readonly prefix: string;
  readonly api_key: Secret;
  readonly message: string | undefined;
}

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
    const input = { query: { ...query, project_id: orNull(projectId) } };
    return new PagedList(this.#core, LIST, input, options, () => {
      checkOptions('Cannot list', query, QUERY);
    });
  }

  /** One service of a project. */
  get(projectId: Id, serviceId: Id, options?: RequestOptions): Promise<ProcessingService> {
    const input = { params: { id: serviceId }, query: { project_id: orNull(projectId) } };
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
    const body = checkRequest(createServiceRequestSchema, request, 'Invalid processing service');
    const answer = await this.#core.http.request(
      CREATE,
      { query: { project_id: orNull(projectId) }, body },
      options,
    );
    return noteLeftOut(answer.instance, leftOutOf(answer));
  }

  /**
   * Generates a key for the service and **revokes all earlier ones at once**: running workers that use them get 401 (trap T10).
   * Never sent twice. Servers of the `token` dialect do not know this call and answer 404.
   */
  async generateKey(projectId: Id, serviceId: Id, options?: RequestOptions): Promise<GeneratedKey> {
    const input = { params: { id: serviceId }, query: { project_id: orNull(projectId) } };
    const answer = await this.#core.http.request(GENERATE_KEY, input, options);
    return { prefix: answer.prefix, api_key: new Secret(answer.api_key), message: answer.message };
  }

  /**
   * Whether the server knows API keys, which is what tells its dialect: the route of {@link generateKey} is asked for with GET, which
   * does nothing. With the client's own credential and no made-up key, so that it works behind a gateway too.
   * @throws AntennaError when the server cannot be reached, fails, or asks for patience.
   */
  async supportsKeys(options?: RequestOptions): Promise<boolean> {
    try {
      await this.#core.http.request(KEY_ROUTE, {}, options);
    } catch (error) {
      if (!(error instanceof AntennaApiError) || error.status >= 500 || error.status === 429) throw error;
      // A route that is unknown is a page of HTML; whatever the route itself says is JSON.
      return error.status !== 404 || error.body !== undefined;
    }
    return true;
  }
}

/** A query leaves out what is undefined; null is an id that is none, and refused. */
function orNull(id: Id | undefined): Id | null {
  return id ?? null;
}
