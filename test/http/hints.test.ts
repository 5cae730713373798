import { describe, expect, it } from 'vitest';
import { hintFor, type HintContext } from '../../src/http/hints.js';

const hint = (context: Partial<HintContext>): string | undefined =>
  hintFor({ operation: 'projects.get', status: 401, scheme: 'Api-Key', detail: '', json: true, ...context });

describe('hintFor', () => {
  it.each([
    [
      'a key that the server ignored (T7)',
      { detail: 'Authentication credentials were not provided.' },
      'the `token` dialect',
    ],
    ['a key that was revoked (T9)', { detail: 'Invalid API key.' }, 'was revoked'],
    [
      'a token that a logout deleted (T12)',
      { scheme: 'Token', detail: 'Invalid token.' },
      'a logout deleted it',
    ],
    ['no credential', { scheme: undefined }, 'set `apiKey` (ANTENNA_API_KEY) or `token`'],
    ['a scheme that Antenna does not read', { scheme: 'Bearer' }, 'must be translated by a gateway'],
    ['a header that Antenna does not read', { scheme: 'header' }, 'must be translated by a gateway'],
    [
      'a token of no superuser (T11)',
      { status: 403, operation: 'tasks.reserve', scheme: 'Token' },
      'only superusers',
    ],
    [
      'a token of no superuser (T11)',
      { status: 403, operation: 'results.submit', scheme: 'Token' },
      'only superusers',
    ],
    [
      "a key of another project's service (T15)",
      { status: 403, operation: 'tasks.reserve' },
      "does not belong to the job's project",
    ],
    [
      'a key that creates services (T10)',
      { status: 403, operation: 'processingServices.create' },
      'token of a staff user',
    ],
    [
      'a key that makes keys (T10)',
      { status: 403, operation: 'processingServices.generateKey' },
      'token of a staff user',
    ],
    [
      'registering with too few rights',
      { status: 403, operation: 'pipelines.register', scheme: 'Token' },
      'MLDataManager',
    ],
    ['a key asking who it is', { status: 403, operation: 'auth.me' }, 'belongs to a service'],
    [
      'a draft project (T14)',
      { status: 404, operation: 'tasks.reserve' },
      'API keys do not see the jobs of draft projects',
    ],
    ['a draft project (T14)', { status: 404, operation: 'jobs.get', scheme: 'Token' }, 'does not see'],
    ['a wrong base address', { status: 404, json: false }, 'check that baseUrl'],
    [
      'a key wanted from a server without keys',
      { status: 404, json: false, operation: 'processingServices.generateKey' },
      'have no API keys',
    ],
    [
      'registering with a token on an api-key server',
      {
        status: 400,
        operation: 'pipelines.register',
        scheme: 'Token',
        detail: 'Pipeline registration requires API key authentication.',
      },
      'set `apiKey`',
    ],
    [
      'registering with a key on a token server',
      {
        status: 400,
        operation: 'pipelines.register',
        detail: 'processing_service_name: This field is required.',
      },
      "dialect: 'token'",
    ],
    [
      'a wrong password',
      { status: 400, operation: 'auth.login', scheme: undefined },
      'Check e-mail and password',
    ],
    ['a body over the limit', { status: 413 }, 'send fewer results'],
    [
      'a registration that failed without a reason (T45)',
      { status: 500, operation: 'pipelines.register' },
      'Usual causes',
    ],
    [
      'a service name too long (T49)',
      { status: 500, operation: 'processingServices.generateKey' },
      '46 characters',
    ],
    ['the status of no service', { status: 500, operation: 'processingServices.status' }, 'does not exist'],
  ] as [string, Partial<HintContext>, string][])('says what to do about %s', (_, context, words) => {
    expect(hint(context)).toContain(words);
  });

  it('says nothing where it knows nothing', () => {
    for (const status of [402, 405, 409, 429, 502, 503]) expect(hint({ status })).toBeUndefined();
    expect(hint({ status: 500 })).toBeUndefined();
    expect(hint({ status: 400 })).toBeUndefined();
    expect(hint({ status: 404 })).toBeUndefined();
  });
});
