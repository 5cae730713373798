export {
  AntennaAbortError,
  AntennaConnectionError,
  OriginGateError,
  AntennaTimeoutError,
  type TimeoutPhase,
} from './connection.js';
export {
  AntennaApiError,
  type ApiErrorOptions,
  type FieldErrors,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  PayloadTooLargeError,
  PermissionDeniedError,
  RateLimitError,
  ServerError,
} from './api.js';
export { AntennaError, type AntennaErrorOptions, type Delivered, type RequestContext } from './base.js';
export { AntennaConfigError, type ConfigIssue } from './config.js';
export { AntennaContractError, type ContractViolation } from './contract.js';
export {
  CredentialError,
  type CredentialProblem,
  KeyFileError,
  type KeyFileProblem,
  KeyRevealedError,
} from './credential.js';
