import { AntennaError } from '../errors/base.js';
import { AntennaConfigError } from '../errors/config.js';
import {
  ProvisioningError,
  type ProvisioningProblem,
  type ProvisioningStep,
  type ServiceReference,
} from './errors.js';
import { remainingSteps } from './advice.js';
import { mayHaveHappened, problemOf } from './failure.js';
import type { ProvisionedKey } from '../auth/provisioned-key.js';

/** A step that cannot go on for a reason of our own finding. */
export class Refusal extends Error {
  readonly problem: ProvisioningProblem;
  readonly services: readonly ServiceReference[];

  constructor(problem: ProvisioningProblem, message: string, services: readonly ServiceReference[] = []) {
    super(message);
    this.problem = problem;
    this.services = services;
  }
}

/** How far one provisioning has come; every failure leaves through it, so that none can lose a key or forget what was done. */
export class Progress {
  readonly done: ProvisioningStep[] = [];
  serviceId: number | undefined;
  key: ProvisionedKey | undefined;
  readonly #subject: string;

  /** @param subject - what is provisioned, for messages. */
  constructor(subject: string) {
    this.#subject = subject;
  }

  /** Takes a step. @throws ProvisioningError whatever goes wrong in it. */
  async step<Result>(name: ProvisioningStep, work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work();
      if (!this.done.includes(name)) this.done.push(name);
      return result;
    } catch (error) {
      throw this.#failure(name, error);
    }
  }

  #failure(failed: ProvisioningStep, error: unknown): Error {
    // A wrong argument that only the request path notices, such as a header: nothing was sent.
    if (error instanceof AntennaConfigError && this.done.length === 0) return error;
    const refusal = error instanceof Refusal ? error : undefined;
    const problem = refusal?.problem ?? problemOf(failed, error);
    const uncertain = mayHaveHappened(failed, error);
    const remaining = remainingSteps(problem, { failed, uncertain, keyInHand: this.key !== undefined });
    const reason = reasonOf(error);
    return new ProvisioningError({
      problem,
      failed,
      uncertain,
      remaining,
      done: this.done,
      serviceId: this.serviceId,
      services: refusal?.services ?? [],
      key: this.key,
      cause: refusal === undefined ? error : undefined,
      message: [
        `Provisioning ${this.#subject} stopped at ${failed}: ${reason}`,
        this.#soFar(),
        ...remaining,
      ].join('. '),
    });
  }

  #soFar(): string {
    const changes = [
      ...(this.done.includes('create_service') ? [`service ${this.serviceId ?? ''} created`] : []),
      ...(this.key === undefined ? [] : [`key ${this.key.prefix}… generated`]),
    ];
    return `Done so far: ${changes.length === 0 ? 'nothing was changed' : changes.join(', ')}`;
  }
}

/** Of a foreign error only the class is told: its message may hold anything. */
function reasonOf(error: unknown): string {
  if (error instanceof Refusal || error instanceof AntennaError) return error.message;
  return `an unexpected ${error instanceof Error ? error.name : typeof error}`;
}
