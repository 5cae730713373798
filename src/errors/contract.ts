import type { LeftOut } from '../contract/answer.js';
import { AntennaError, type RequestContext } from './base.js';

/** Why an answer was no answer of Antenna's. */
export type ContractViolation =
  'redirect' | 'not_json' | 'bad_json' | 'off_schema' | 'unexpected_status' | 'too_large';

/**
 * Something answered, but not as Antenna does: HTML where JSON belongs, half a body, a missing field, a redirect. Never taken for
 * an empty list or a success: each of those would be "no tasks, for ever".
 */
export class AntennaContractError extends AntennaError {
  static override readonly className: string = 'AntennaContractError';
  readonly violation: ContractViolation;
  readonly status: number;
  readonly method: string;
  readonly path: string;
  readonly requestId: string;
  readonly attempts: number;
  /** Items of the answer when none of them could be used; empty otherwise. */
  readonly leftOut: readonly LeftOut[];
  /** Path inside the body, such as `"results.0.id"`; empty for the body as a whole. */
  readonly bodyPath: string;

  constructor(
    options: RequestContext & {
      violation: ContractViolation;
      status: number;
      reason: string;
      bodyPath?: string;
      leftOut?: readonly LeftOut[];
    },
  ) {
    super({
      code: `contract_${options.violation}`,
      message: `${options.method} ${options.path} → ${options.status}: ${options.reason}`,
    });
    this.violation = options.violation;
    this.status = options.status;
    this.method = options.method;
    this.path = options.path;
    this.requestId = options.requestId;
    this.attempts = options.attempts;
    this.bodyPath = options.bodyPath ?? '';
    this.leftOut = options.leftOut ?? [];
  }
}
