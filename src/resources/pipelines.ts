import { Credential } from '../auth/credential.js';
import { staticSource } from '../auth/source.js';
import { leftOutOf, type LeftOut } from '../contract/answer.js';
import type { Page } from '../contract/common.js';
import {
  apiKeyRegistrationSchema,
  pipelinePageSchema,
  pipelineSchema,
  registrationResponseSchema,
  tokenRegistrationSchema,
  type Pipeline,
  type PipelineConfig,
  type RegistrationRequest,
  type RegistrationResponse,
} from '../contract/pipelines.js';
import { AntennaConfigError } from '../errors/config.js';
import { checkOptions, isBoolean, isId, isOneOf, isText, type Check, type Id } from '../errors/arguments.js';
import type { Operation, OperationInput, RequestOptions } from '../http/operation.js';
import { REQUEST_OPTIONS } from '../http/request-parts.js';
import { registrationIssues } from '../registration/precheck.js';
import { compareRegistration, type RegistrationReport } from '../registration/report.js';
import { checkRequest, type Dialect, type ResourceCore } from './core.js';
import { LIST_OPTIONS, PagedList, type ListOptions } from './pages.js';
import { withClientInfo } from './tasks.js';

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
const REGISTER: Operation<RegistrationResponse> = {
  id: 'pipelines.register',
  method: 'POST',
  path: '/projects/{project}/pipelines/',
  // The same registration twice changes nothing (contract §8.4).
  replay: 'always',
  response: registrationResponseSchema,
};

/** Upper bound of what a read-back fetches; a project with more pipelines is compared on the first this many. */
const MAX_READ_BACK = 2_000;

/** Options of {@link PipelinesResource.register}. */
export interface RegisterOptions extends RequestOptions {
  /**
   * `token` dialect only, required there: the service's name, unique across the whole server (trap T47). Default: the client's
   * `serviceName`.
   */
  readonly serviceName?: string | undefined;
  /**
   * Registers with this credential instead of the client's: servers of the `api-key` dialect take a registration from the service's
   * key alone, so whoever has just generated one as a staff user registers with it. Give `dialect` too unless the client has one that fits.
   */
  readonly credential?: Credential | undefined;
  /** Kind of server, if the client's `dialect` is not it: a user's token fits both kinds. */
  readonly dialect?: Dialect | undefined;
  /** Compare with what the server stored. Default true; costs one or more GETs. */
  readonly readBack?: boolean | undefined;
}

const REGISTER_OPTIONS: { readonly [Name in keyof Required<RegisterOptions>]: Check } = {
  ...REQUEST_OPTIONS,
  serviceName: isText,
  credential: (given) => (given instanceof Credential ? undefined : 'must be a Credential'),
  dialect: isOneOf('api-key', 'token'),
  readBack: isBoolean,
};

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
    checkOptions('Invalid arguments', given, REGISTER_OPTIONS);
    const { serviceName, readBack = true, credential, dialect, ...options } = given;
    const named = serviceName ?? this.#core.serviceName;
    const body = this.#registration(pipelines, named, dialect ?? this.#core.dialect);
    const input: OperationInput = {
      params: { project: projectId },
      ...(credential ? { credentials: staticSource(credential) } : {}),
    };
    const answer = await this.#core.http.request(REGISTER, { ...input, body }, options);
    const { success } = answer;
    if (!readBack || pipelines.length === 0)
      return { ok: success, pipelines: [], deviations: [], ...noted(leftOutOf(answer)) };
    const list = new PagedList(this.#core, LIST_FOR_PROJECT, { ...input, query: { limit: 100 } }, options);
    const stored = await list.toArray(MAX_READ_BACK);
    const report = compareRegistration(body.pipelines, stored);
    return { ...report, ok: success && report.ok, ...noted([...leftOutOf(answer), ...leftOutOf(stored)]) };
  }

  #registration(
    pipelines: readonly PipelineConfig[],
    serviceName: string | undefined,
    dialect: Dialect | undefined,
  ): RegistrationRequest {
    const subject = 'Invalid registration';
    let body: RegistrationRequest;
    switch (dialect) {
      case 'token':
        if (serviceName === undefined) {
          const message =
            'is required by servers of the `token` dialect; choose one that no other service uses';
          throw new AntennaConfigError(subject, [{ path: 'serviceName', message }]);
        }
        body = checkRequest(
          tokenRegistrationSchema,
          { processing_service_name: serviceName, pipelines },
          subject,
        );
        break;
      case 'api-key':
        body = checkRequest(apiKeyRegistrationSchema, { pipelines, ...withClientInfo(this.#core) }, subject);
        break;
      case undefined:
        throw new AntennaConfigError(subject, [
          {
            path: 'dialect',
            message:
              "cannot be told from this credential: set dialect to 'api-key' or 'token' (see client.probeDialect())",
          },
        ]);
    }
    const issues = registrationIssues(body.pipelines);
    if (issues.length > 0) throw new AntennaConfigError(subject, issues);
    return body;
  }
}

function noted(leftOut: readonly LeftOut[]): Pick<RegistrationReport, 'leftOut'> {
  return leftOut.length === 0 ? {} : { leftOut };
}
