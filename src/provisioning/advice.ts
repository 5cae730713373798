import type { ProvisioningProblem, ProvisioningStep } from './errors.js';

/** How far a provisioning came, as far as advice depends on it. */
export interface Standing {
  readonly failed: ProvisioningStep;
  readonly uncertain: boolean;
  /** A key was generated and is in the error. */
  readonly keyInHand: boolean;
}

const ADVICE: Readonly<Partial<Record<ProvisioningProblem, string>>> = {
  credential: 'Look at what the token provider does, then run it again',
  credential_refused: 'Give the client the token of a staff user that is valid now, then run it again',
  not_a_user:
    'Give the client a staff user’s token (`token`, or loginToken): an API key belongs to a service and can create neither services nor keys',
  not_staff:
    'Use the token of a staff user or superuser: membership of the project, ownership included, is not enough to create services or keys',
  no_project:
    'Check the project’s id; if it is a draft, let a member of it or a superuser do this: others do not see its services and would make a second one',
  duplicate_service:
    'Delete or rename the others on the server’s admin site, or pass serviceId to choose one: names are not unique on the server',
  no_service: 'Pass the id of one of the services listed, or leave serviceId out',
  wrong_key: 'Pass the newest key of this service as currentKey, or leave it out',
  keys_unsupported:
    "This server has no API keys: workers go with a superuser's token there. Pass dialect: 'token' to register the service by its name, without a key",
  keys_required:
    "This server has API keys, and takes registrations from keys only: leave out dialect: 'token'",
  registration_refused: 'Correct what the server objects to, then run it again',
};

/** What is left to do after a failure, in order. */
export function remainingSteps(problem: ProvisioningProblem, standing: Standing): readonly string[] {
  const { failed, uncertain, keyInHand } = standing;
  const steps: string[] = [];
  if (keyInHand) {
    steps.push(
      'Keep the key, which the server never shows again: writeKeyFile(path, error.key), or error.key.reveal()',
    );
  }
  if (uncertain && failed === 'create_service') {
    steps.push('The service may have been created: running it again finds it then, and makes no second one');
  }
  if (uncertain && failed === 'generate_key') {
    steps.push(
      'A key may have been generated whose text is lost, and the keys before it may have ended: run it again, and if the result then has no ' +
        'key, with rotateKey: true',
    );
  }
  const advice = ADVICE[problem];
  if (advice !== undefined) steps.push(advice);
  else if (!uncertain) steps.push('Run it again: it goes on with what is there, and makes nothing twice');
  if (keyInHand) {
    steps.push(
      'To register the pipelines, run it again with currentKey, or start the worker, which registers its own',
    );
  }
  return steps;
}
