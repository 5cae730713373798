import {
  AntennaAbortError,
  AntennaConnectionError,
  AntennaContractError,
  AntennaTimeoutError,
  CredentialError,
  OriginGateError,
  type ProvisioningProblem,
  type ProvisioningStep,
} from 'antenna-sdk';
import { assert, boolean, constantFrom, property } from 'fast-check';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { apiError } from '../../src/errors/api.js';
import { remainingSteps } from '../../src/provisioning/advice.js';
import { mayHaveHappened, problemOf } from '../../src/provisioning/failure.js';

const STEPS = [
  'check_user',
  'find_project',
  'find_service',
  'find_dialect',
  'create_service',
  'generate_key',
  'register_pipelines',
] as const satisfies readonly ProvisioningStep[];
const PROBLEMS = [
  'credential',
  'credential_refused',
  'not_a_user',
  'not_staff',
  'no_project',
  'duplicate_service',
  'no_service',
  'wrong_key',
  'keys_unsupported',
  'keys_required',
  'registration_refused',
  'unavailable',
  'aborted',
  'unexpected',
] as const satisfies readonly ProvisioningProblem[];

const request = { method: 'POST', path: '/x/', requestId: 'r', attempts: 1 };
const answer = (status: number, body: unknown = { detail: 'no' }) =>
  apiError({ ...request, status, body, fieldErrors: {}, detail: 'no' });

const html = (status: number) =>
  apiError({ ...request, status, body: undefined, fieldErrors: {}, detail: 'no' });
const connection = (delivered: 'no' | 'unknown') =>
  new AntennaConnectionError({ ...request, delivered, reason: 'reset' });

describe('what a failed step means', () => {
  it.each([
    ['check_user', answer(401), 'credential_refused'],
    ['check_user', answer(403), 'not_a_user'],
    ['check_user', html(404), 'unavailable'],
    ['find_project', answer(404), 'no_project'],
    ['find_project', answer(403), 'no_project'],
    ['find_service', answer(404), 'no_project'],
    ['create_service', answer(403), 'not_staff'],
    ['create_service', answer(400), 'unexpected'],
    ['create_service', answer(500), 'unavailable'],
    ['generate_key', answer(403), 'not_staff'],
    ['generate_key', answer(404), 'no_project'],
    ['generate_key', html(404), 'keys_unsupported'],
    ['generate_key', answer(429), 'unavailable'],
    ['register_pipelines', answer(400), 'registration_refused'],
    ['register_pipelines', answer(401), 'registration_refused'],
    ['register_pipelines', answer(403), 'registration_refused'],
    ['register_pipelines', html(500), 'registration_refused'],
    ['register_pipelines', html(502), 'unavailable'],
    ['register_pipelines', answer(429), 'unavailable'],
    ['find_dialect', new OriginGateError({ ...request, retryAfterMs: 5 }), 'unavailable'],
    ['find_service', connection('unknown'), 'unavailable'],
    ['check_user', new CredentialError('away'), 'credential'],
    ['register_pipelines', new AntennaAbortError(), 'aborted'],
    ['find_project', new TypeError('a mistake of ours'), 'unexpected'],
    ['find_project', 'a text', 'unexpected'],
  ] as const)('%s with %s is %s', (step, error, problem) => {
    expect(problemOf(step, error)).toBe(problem);
  });

  it.each(['create_service', 'generate_key'] as const)(
    '%s may have happened when the answer is lost, not when it is no',
    (step) => {
      const redirected = { ...request, violation: 'redirect', status: 302, reason: 'r' } as const;
      for (const lost of [
        connection('unknown'),
        new AntennaTimeoutError({ phase: 'headers', timeoutMs: 1, delivered: 'unknown', context: request }),
        new AntennaAbortError({ delivered: 'unknown' }),
        new AntennaContractError({ ...redirected, violation: 'not_json', status: 200 }),
        answer(500),
        html(502),
      ]) {
        expect(mayHaveHappened(step, lost)).toBe(true);
      }
      const refusals = [
        connection('no'),
        answer(400),
        answer(403),
        html(404),
        new CredentialError('x'),
        undefined,
      ];
      for (const no of [...refusals, new AntennaContractError(redirected)]) {
        expect(mayHaveHappened(step, no)).toBe(false);
      }
    },
  );
});

describe('what is left to do', () => {
  it('is told for every problem, and never forgets a key', () => {
    const standing = { failed: constantFrom(...STEPS), uncertain: boolean(), keyInHand: boolean() };
    assert(
      property(
        constantFrom(...PROBLEMS),
        standing.failed,
        standing.uncertain,
        standing.keyInHand,
        (...row) => {
          const [problem, failed, mayBe, keyInHand] = row;
          const uncertain = mayBe && mayHaveHappened(failed, connection('unknown'));
          const steps = remainingSteps(problem, { failed, uncertain, keyInHand });
          expect(steps.length).toBeGreaterThan(0);
          expect(steps[0]?.includes('writeKeyFile(path, error.key)')).toBe(keyInHand);
          const lost = uncertain && failed === 'generate_key';
          expect(steps.some((step) => step.includes('whose text is lost'))).toBe(lost);
        },
      ),
    );
  });

  it('is in docs/provisioning.md for every problem, and so is every step', async () => {
    const page = await readFile(new URL('../../docs/provisioning.md', import.meta.url), 'utf8');
    for (const word of [...PROBLEMS, ...STEPS]) expect(page).toContain(`\`${word}\``);
  });
});
