import { z } from 'zod';
import { Credential, apiKeyProblem } from '../auth/credential.js';
import { Secret } from '../auth/secret.js';
import { givenIdSchema, type Id } from '../contract/ids.js';
import { pipelineConfigSchema, type PipelineConfig } from '../contract/registration.js';
import { MAX_SERVICE_NAME_CHARS } from '../contract/service-keys.js';
import { AntennaConfigError } from '../errors/config.js';
import type { RequestOptions } from '../http/operation.js';
import { registrationIssues } from '../registration/precheck.js';
import { issuesOf } from '../contract/issues.js';
import type { Dialect } from '../resources/core.js';
import { ProvisionedKey } from '../auth/provisioned-key.js';

/** Options of {@link provision}. The request options hold for each request. */
export interface ProvisionOptions extends Omit<RequestOptions, 'nocache'> {
  /** Id of the project that the service works for. */
  readonly project: Id;
  /** The service's name, 1 to 46 characters; on servers without keys up to 255, and unique across the server. */
  readonly serviceName: string;
  /** What its workers can do; `definePipeline(…).config` is one. With none, nothing is registered. */
  readonly pipelines: readonly PipelineConfig[];
  /**
   * Generate a new key although the service has one. **Ends the old key at once**: running workers get 401 until they have the new
   * one (a `fileToken` or `commandToken` fetches it by itself). Default false: a key is generated only if the service has none.
   */
  readonly rotateKey?: boolean | undefined;
  /**
   * The key that the service has, for registering the pipelines when it is kept: the server takes a registration from the key alone. Not
   * needed when a key is generated, or when the workers register by themselves, as `AntennaWorker` does.
   */
  readonly currentKey?: ProvisionedKey | Secret | string | undefined;
  /** Chooses among several services of the name. */
  readonly serviceId?: Id | undefined;
  /**
   * Kind of server that is expected. Default `'api-key'`. With `'token'` the service is registered by its name, with the client's own
   * credential and without a key: servers of that kind have none.
   */
  readonly dialect?: Dialect | undefined;
}

/** Checked options. */
export interface Plan {
  readonly project: number;
  readonly serviceName: string;
  readonly pipelines: readonly PipelineConfig[];
  readonly rotateKey: boolean;
  readonly currentKey: Credential | undefined;
  readonly serviceId: number | undefined;
  readonly dialect: Dialect;
  readonly request: RequestOptions;
}

const SUBJECT = 'Invalid provisioning';
const MAX_NAME_CHARS = 255;

const name = z.string({ error: 'must be a text' }).trim().min(1, { error: 'is empty' });
const planSchema = z.strictObject({
  project: givenIdSchema,
  serviceName: name,
  pipelines: z.array(pipelineConfigSchema),
  rotateKey: z.boolean().optional(),
  currentKey: z.unknown().optional(),
  serviceId: givenIdSchema.optional(),
  dialect: z.enum(['api-key', 'token']).optional(),
});

/**
 * Checks everything that can be checked before anything is sent, the pipelines included: what would fail at registration must not
 * first cost a key.
 * @throws AntennaConfigError naming every wrong option.
 */
export function checkedPlan(options: ProvisionOptions): Plan {
  const given: unknown = options;
  if (typeof given !== 'object' || given === null) {
    const message = 'must be an object such as { project, serviceName, pipelines }';
    throw new AntennaConfigError(SUBJECT, [{ path: '', message }]);
  }
  const { signal, timeoutMs, retries, headers, ...own } = options;
  const parsed = planSchema.safeParse(own);
  if (!parsed.success) throw new AntennaConfigError(SUBJECT, issuesOf(parsed.error));
  const { project, serviceName, pipelines, rotateKey = false, serviceId, dialect = 'api-key' } = parsed.data;
  const issues = registrationIssues(pipelines);
  const limit = dialect === 'token' ? MAX_NAME_CHARS : MAX_SERVICE_NAME_CHARS;
  if (serviceName.length > limit) {
    const why = dialect === 'token' ? 'no more fit' : 'the server fails to generate keys for longer names';
    const message = `has ${serviceName.length} characters, and at most ${limit} work: ${why}`;
    issues.push({ path: 'serviceName', message });
  }
  if (dialect === 'token') {
    for (const path of ['rotateKey', 'currentKey'] as const) {
      if (own[path] !== undefined && own[path] !== false) {
        issues.push({ path, message: "has no meaning with dialect: 'token': such servers have no keys" });
      }
    }
  }
  const key = readKey(own.currentKey);
  if (typeof key === 'string') issues.push({ path: 'currentKey', message: key });
  if (rotateKey && own.currentKey !== undefined) {
    issues.push({ path: 'currentKey', message: 'cannot be used with rotateKey: true, which ends it' });
  }
  if (issues.length > 0) throw new AntennaConfigError(SUBJECT, issues);
  return {
    ...{ project, serviceName, pipelines, rotateKey, serviceId, dialect },
    currentKey: typeof key === 'string' ? undefined : key,
    // A service that somebody else has just created is not in an answer that was kept; missing it makes a second one.
    request: { signal, timeoutMs, retries, headers, nocache: true },
  };
}

/** A text says why it cannot be a key, without quoting it. */
function readKey(key: unknown): Credential | string | undefined {
  let text = key;
  if (key instanceof ProvisionedKey) text = ProvisionedKey.open(key).reveal();
  else if (key instanceof Secret) text = key.reveal();
  if (text === undefined) return undefined;
  if (typeof text !== 'string') return 'must be a key: a text, a Secret or the key of an earlier result';
  return apiKeyProblem(text) ?? Credential.apiKey(text);
}
