import { Credential } from '../auth/credential.js';
import { staticSource } from '../auth/source.js';
import { leftOutOf, type LeftOut } from '../contract/answer.js';
import type { Pipeline } from '../contract/pipelines.js';
import {
  apiKeyRegistrationSchema,
  registrationResponseSchema,
  tokenRegistrationSchema,
  type PipelineConfig,
  type RegistrationRequest,
  type RegistrationResponse,
} from '../contract/registration.js';
import { checkOptions, isBoolean, isOneOf, isText, type Check, type Id } from '../errors/arguments.js';
import { AntennaConfigError } from '../errors/config.js';
import type { Operation, OperationInput, RequestOptions } from '../http/operation.js';
import { REQUEST_OPTIONS } from '../http/request-parts.js';
import { registrationIssues } from '../registration/precheck.js';
import { compareRegistration, type RegistrationReport } from '../registration/report.js';
import { checkRequest, type Dialect, type ResourceCore } from './core.js';
import { withClientInfo } from './tasks.js';

const REGISTER: Operation<RegistrationResponse> = {
  id: 'pipelines.register',
  method: 'POST',
  path: '/projects/{project}/pipelines/',
  // The same registration twice changes nothing (contract §8.4).
  replay: 'always',
  response: registrationResponseSchema,
};

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

/** Reads what the project holds now. */
type ReadStored = (input: OperationInput, options: RequestOptions) => Promise<readonly Pipeline[]>;

/** What {@link PipelinesResource.register} does: a file of its own, which is loaded with the first registration. */
export async function register(
  core: ResourceCore,
  asked: {
    readonly projectId: Id;
    readonly pipelines: readonly PipelineConfig[];
    readonly options: RegisterOptions;
  },
  readStored: ReadStored,
): Promise<RegistrationReport> {
  const { projectId, pipelines, options: given } = asked;
  checkOptions('Invalid arguments', given, REGISTER_OPTIONS);
  const { serviceName, readBack = true, credential, dialect, ...options } = given;
  const named = serviceName ?? core.serviceName;
  const body = registration(core, pipelines, named, dialect ?? core.dialect);
  const input: OperationInput = {
    params: { project: projectId },
    ...(credential ? { credentials: staticSource(credential) } : {}),
  };
  const answer = await core.http.request(REGISTER, { ...input, body }, options);
  const { success } = answer;
  if (!readBack || pipelines.length === 0)
    return { ok: success, pipelines: [], deviations: [], ...noted(leftOutOf(answer)) };
  const stored = await readStored({ ...input, query: { limit: 100 } }, options);
  const report = compareRegistration(body.pipelines, stored);
  return { ...report, ok: success && report.ok, ...noted([...leftOutOf(answer), ...leftOutOf(stored)]) };
}

function registration(
  core: ResourceCore,
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
      body = checkRequest(apiKeyRegistrationSchema, { pipelines, ...withClientInfo(core) }, subject);
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

function noted(leftOut: readonly LeftOut[]): Pick<RegistrationReport, 'leftOut'> {
  return leftOut.length === 0 ? {} : { leftOut };
}
