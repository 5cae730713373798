import { AntennaError, type Delivered } from './base.js';

/**
 * Why there is no credential: the provider `failed` (threw, or its issuer is away), ran into its `timeout`, gave something that is
 * not a usable token (`invalid`), or a token that was over already (`expired`).
 */
export type CredentialProblem = 'failed' | 'timeout' | 'invalid' | 'expired';

/**
 * Thrown when a token provider gives no usable token. Nothing was sent.
 *
 * Its message names the cause and the next step, and never holds what a provider threw: HTTP clients put client secrets and
 * whole requests into their errors. For the same reason there is no `cause`. A provider whose own words shall be shown
 * throws a `CredentialError` itself.
 */
export class CredentialError extends AntennaError {
  static override readonly className: string = 'CredentialError';
  readonly problem: CredentialProblem;
  /** Always `no`: without a credential nothing is sent. */
  readonly delivered: Delivered = 'no';
  /** Milliseconds until the provider is asked again; undefined when the next request may ask at once. */
  readonly retryAfterMs: number | undefined;

  /** @param message - what happened and what to do, without secrets: it is logged as it stands. */
  constructor(message: string, options: { problem?: CredentialProblem; retryAfterMs?: number } = {}) {
    super({ code: 'credential', message });
    this.problem = options.problem ?? 'failed';
    this.retryAfterMs = options.retryAfterMs;
  }
}
