import {
  AntennaAbortError,
  AntennaConnectionError,
  OriginGateError,
  AntennaTimeoutError,
} from '../errors/connection.js';
import {
  AntennaApiError,
  AuthenticationError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  ServerError,
} from '../errors/api.js';
import { AntennaContractError } from '../errors/contract.js';
import { CredentialError } from '../errors/credential.js';
import type { ProvisioningProblem, ProvisioningStep } from './errors.js';

/** The steps that change the server and must not happen twice. Registering the same pipelines again changes nothing. */
const ONCE = new Set<ProvisioningStep>(['create_service', 'generate_key']);
const LOOKS: readonly ProvisioningStep[] = ['find_project', 'find_service'];

/** What a failed step means. */
export function problemOf(step: ProvisioningStep, error: unknown): ProvisioningProblem {
  if (error instanceof AntennaAbortError) return 'aborted';
  if (error instanceof CredentialError) return 'credential';
  if (error instanceof AntennaApiError) return refusalOf(step, error);
  const away = [AntennaConnectionError, AntennaTimeoutError, AntennaContractError, OriginGateError];
  return away.some((type) => error instanceof type) ? 'unavailable' : 'unexpected';
}

function refusalOf(step: ProvisioningStep, error: AntennaApiError): ProvisioningProblem {
  if (error instanceof RateLimitError) return 'unavailable';
  // A registration that conflicts with what is stored ends in a 500 of Django's; other 5xx are a proxy's or an outage.
  if (step === 'register_pipelines' && (error.status < 500 || error.status === 500))
    return 'registration_refused';
  if (error instanceof ServerError) return 'unavailable';
  if (error instanceof AuthenticationError) return 'credential_refused';
  if (error instanceof PermissionDeniedError) {
    if (step === 'check_user') return 'not_a_user';
    return LOOKS.includes(step) ? 'no_project' : 'not_staff';
  }
  if (error instanceof NotFoundError) {
    // A route that is unknown is a page of HTML, an object that is missing is JSON.
    if (error.body !== undefined) return step === 'check_user' ? 'unexpected' : 'no_project';
    return step === 'generate_key' ? 'keys_unsupported' : 'unavailable';
  }
  return 'unexpected';
}

/** Whether a step that must not happen twice may have happened all the same. */
export function mayHaveHappened(step: ProvisioningStep, error: unknown): boolean {
  if (!ONCE.has(step)) return false;
  // A refusal is rolled back by the server; what stands before the server may answer 5xx for work that was done.
  if (error instanceof AntennaApiError) return error.status >= 500;
  if (error instanceof AntennaContractError) return error.violation !== 'redirect';
  if (typeof error !== 'object' || error === null) return false;
  return 'delivered' in error && error.delivered === 'unknown';
}
