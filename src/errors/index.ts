export { AntennaAbortError } from './abort.js';
export { AntennaApiError, type ApiErrorOptions, type FieldErrors } from './api.js';
export { AntennaError, type AntennaErrorOptions, type Delivered, type RequestContext } from './base.js';
export { AntennaConfigError, type ConfigIssue } from './config.js';
export { AntennaConnectionError } from './connection.js';
export { AntennaContractError, type ContractViolation } from './contract.js';
export { CredentialError, type CredentialProblem } from './credential.js';
export { OriginGateError } from './gate.js';
export { KeyFileError, type KeyFileProblem } from './key-file.js';
export { KeyRevealedError } from './key-revealed.js';
export {
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  PayloadTooLargeError,
  PermissionDeniedError,
  RateLimitError,
  ServerError,
} from './status.js';
export { AntennaTimeoutError, type TimeoutPhase } from './timeout.js';
