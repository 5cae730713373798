import type { ProvisionedKey } from '../auth/provisioned-key.js';
import { AntennaError } from '../errors/base.js';

/** The steps of a provisioning, in order. `find_dialect` and `create_service` are taken only where they are needed. */
export type ProvisioningStep =
  | 'check_user'
  | 'find_project'
  | 'find_service'
  | 'find_dialect'
  | 'create_service'
  | 'generate_key'
  | 'register_pipelines';

/**
 * Why a provisioning stopped:
 * - `credential`: the token provider gave no token; `credential_refused`: the server does not know the one that was sent;
 * - `not_a_user`: an API key was used, which can create nothing; `not_staff`: the user may not create services or keys;
 * - `no_project`: missing, or a draft that this user does not see;
 * - `duplicate_service`: several services of the name; `no_service`: none with the `serviceId`; `wrong_key`: `currentKey` is another service's;
 * - `keys_unsupported`: the server is of the `token` dialect; `keys_required`: it is not, and `dialect: 'token'` was asked for;
 * - `registration_refused`: the server did not take the pipelines;
 * - `unavailable`: it could not be reached, failed, or something else answered in its place; `aborted`: your signal;
 * - `unexpected`: see `cause`.
 */
export type ProvisioningProblem =
  | 'credential'
  | 'credential_refused'
  | 'not_a_user'
  | 'not_staff'
  | 'no_project'
  | 'duplicate_service'
  | 'no_service'
  | 'wrong_key'
  | 'keys_unsupported'
  | 'keys_required'
  | 'registration_refused'
  | 'unavailable'
  | 'aborted'
  | 'unexpected';

/** What an error says of a service. */
export interface ServiceReference {
  readonly id: number;
  readonly name: string;
  /** When it last spoke to the server, in the server's own words; null if never. */
  readonly last_seen: string | null;
}

/** What a {@link ProvisioningError} is made of. */
export interface ProvisioningErrorOptions {
  readonly problem: ProvisioningProblem;
  readonly message: string;
  readonly failed: ProvisioningStep;
  readonly done: readonly ProvisioningStep[];
  readonly uncertain: boolean;
  readonly remaining: readonly string[];
  readonly serviceId: number | undefined;
  readonly services: readonly ServiceReference[];
  readonly key: ProvisionedKey | undefined;
  readonly cause?: unknown;
}

/**
 * A provisioning stopped. It says what was done and what is left to do; running it again is safe, because it finds the service that the
 * first run made. A key that was generated before the failure is in `key`: write it to its file, the server never shows it again.
 */
export class ProvisioningError extends AntennaError {
  static override readonly className: string = 'ProvisioningError';
  readonly problem: ProvisioningProblem;
  /** The step that failed. */
  readonly failed: ProvisioningStep;
  /** The steps that were completed, in order. */
  readonly done: readonly ProvisioningStep[];
  /** True if the failed step changes the server and may have done so: the request was sent and no answer came back. */
  readonly uncertain: boolean;
  /** What is left to do, a sentence each. */
  readonly remaining: readonly string[];
  /** The service that was found or created, as far as it came. */
  readonly serviceId: number | undefined;
  /** With `duplicate_service` and `no_service`: the services of that name. */
  readonly services: readonly ServiceReference[];
  /** The key that was generated and not delivered yet; opaque. */
  readonly key: ProvisionedKey | undefined;

  constructor(options: ProvisioningErrorOptions) {
    super({ code: `provisioning_${options.problem}`, message: options.message, cause: options.cause });
    this.problem = options.problem;
    this.failed = options.failed;
    this.done = Object.freeze([...options.done]);
    this.uncertain = options.uncertain;
    this.remaining = Object.freeze([...options.remaining]);
    this.serviceId = options.serviceId;
    this.services = Object.freeze([...options.services]);
    this.key = options.key;
  }
}
