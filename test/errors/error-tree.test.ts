import { inspect } from 'node:util';
import * as general from '../../src/errors/index.js';
import * as provisioning from '../../src/provisioning/errors.js';
import { describe, expect, it, vi } from 'vitest';

const errors = { ...general, ...provisioning };
const { AntennaApiError, AntennaError, AntennaTimeoutError, BadRequestError, NotFoundError } = errors;

const request = { method: 'GET', path: '/projects/1/', requestId: 'r1', attempts: 2 };
const api = { ...request, status: 400, body: { detail: 'no' }, fieldErrors: {}, detail: 'no' };

type Tree = typeof errors;
/** One of each class, from one copy of the package. */
const one = (tree: Tree): Record<string, Error> => ({
  AntennaError: new tree.AntennaError({ code: 'x', message: 'm' }),
  AntennaAbortError: new tree.AntennaAbortError({ cause: 'why' }),
  AntennaApiError: new tree.AntennaApiError(api),
  AntennaConfigError: new tree.AntennaConfigError('Invalid', [{ path: 'a', message: 'b' }]),
  AntennaConnectionError: new tree.AntennaConnectionError({ ...request, delivered: 'no', reason: 'refused' }),
  AntennaContractError: new tree.AntennaContractError({
    ...request,
    violation: 'not_json',
    status: 200,
    reason: 'HTML',
  }),
  AntennaTimeoutError: new tree.AntennaTimeoutError({ phase: 'body', timeoutMs: 5, context: request }),
  OriginGateError: new tree.OriginGateError({ ...request, retryAfterMs: 5 }),
  KeyFileError: new tree.KeyFileError('exists', '/tmp/key'),
  KeyRevealedError: new tree.KeyRevealedError('abcdefgh'),
  ProvisioningError: new tree.ProvisioningError({
    problem: 'not_staff',
    message: 'm',
    failed: 'create_service',
    uncertain: false,
    ...{ done: [], remaining: [], services: [], serviceId: undefined, key: undefined },
  }),
  BadRequestError: new tree.BadRequestError(api),
  AuthenticationError: new tree.AuthenticationError(api),
  PermissionDeniedError: new tree.PermissionDeniedError(api),
  NotFoundError: new tree.NotFoundError(api),
  PayloadTooLargeError: new tree.PayloadTooLargeError(api),
  RateLimitError: new tree.RateLimitError(api),
  ServerError: new tree.ServerError(api),
});
const STATUS_CLASSES = [
  'BadRequestError',
  'AuthenticationError',
  'PermissionDeniedError',
  'NotFoundError',
  'PayloadTooLargeError',
  'RateLimitError',
  'ServerError',
];

describe('every error', () => {
  it.each(Object.entries(one(errors)))(
    '%s has its literal name, a code, a stack, and words',
    (name, error) => {
      expect(error).toBeInstanceOf(Error);
      expect(error).toBeInstanceOf(AntennaError);
      expect(error.name).toBe(name);
      expect(error.stack).toContain(name);
      expect((error as Error & { code?: string }).code).toMatch(/^[a-z_]+$/);
      expect(String(error)).toBe(`${name}: ${error.message}`);
      expect(Object.keys(error)).not.toContain('name');
    },
  );

  it('is of its own class, of its ancestors, and of no other', () => {
    for (const [name, error] of Object.entries(one(errors))) {
      for (const [other, ErrorClass] of Object.entries(errors)) {
        if (typeof ErrorClass !== 'function') continue;
        const related =
          other === name ||
          other === 'AntennaError' ||
          (other === 'AntennaApiError' && STATUS_CLASSES.includes(name));
        expect(error instanceof ErrorClass, `${name} instanceof ${other}`).toBe(related);
      }
    }
  });

  it('is recognised by the classes of another copy of the package, both ways', async () => {
    vi.resetModules();
    const copy = {
      ...(await import('../../src/errors/index.js')),
      ...(await import('../../src/provisioning/errors.js')),
    };
    expect(copy.AntennaError).not.toBe(AntennaError);
    for (const [name, error] of Object.entries(one(copy))) {
      const own = errors[name as keyof Tree];
      expect(error instanceof own).toBe(true);
      expect(error instanceof AntennaError).toBe(true);
      expect(one(errors)[name] instanceof copy[name as keyof Tree]).toBe(true);
    }
    expect(one(copy)['NotFoundError'] instanceof BadRequestError).toBe(false);
    expect(one(copy)['NotFoundError'] instanceof AntennaApiError).toBe(true);
  });

  it.each([null, undefined, 5, 'AntennaError', {}, new Error('x'), { name: 'AntennaError', code: 'x' }])(
    'is not %j',
    (value) => {
      expect((value as unknown) instanceof AntennaError).toBe(false);
    },
  );
});

describe('a subclass of the user’s', () => {
  class MothMissingError extends NotFoundError {}
  class OwnError extends AntennaError {}

  it('is what it extends, and what it extends is not it', () => {
    const moth = new MothMissingError(api);
    expect(moth).toBeInstanceOf(MothMissingError);
    expect(moth).toBeInstanceOf(NotFoundError);
    expect(moth).toBeInstanceOf(AntennaApiError);
    expect(new NotFoundError(api)).not.toBeInstanceOf(MothMissingError);
    expect(moth).not.toBeInstanceOf(OwnError);
    expect(new OwnError({ code: 'own', message: 'm' })).not.toBeInstanceOf(NotFoundError);
  });

  it('may have a name of its own', () => {
    class Named extends AntennaError {
      static override readonly className: string = 'Named';
    }
    expect(new Named({ code: 'own', message: 'm' }).name).toBe('Named');
    expect(new Named({ code: 'own', message: 'm' })).toBeInstanceOf(Named);
    expect(new AntennaError({ code: 'x', message: 'm' })).not.toBeInstanceOf(Named);
  });
});

describe('messages', () => {
  it('say what happened, where, how often, and what to do next', () => {
    const texts = Object.values(one(errors)).map(({ message }) => message);
    expect(texts).toContain('Invalid: a: b');
    expect(texts.join()).toContain('GET /projects/1/ failed: refused (it was not delivered; attempt 2)');
    expect(texts.join()).toContain('timed out after 5 ms in phase "body": the answer began and then stalled');
    expect(new AntennaApiError({ ...api, hint: 'Do this' }).message).toBe(
      'GET /projects/1/ → 400: no. Do this',
    );
  });

  it.each([
    ['token', 'no'],
    ['gate', 'no'],
    ['connect', 'no'],
    ['headers', 'unknown'],
    ['body', 'unknown'],
    ['total', 'unknown'],
  ] as const)('of a timeout in phase %s mean delivered %j', (phase, delivered) => {
    expect(new AntennaTimeoutError({ phase, timeoutMs: 1 })).toMatchObject({ phase, delivered });
  });

  it('keep the cause, and an abort keeps whatever reason there was', () => {
    for (const cause of [new Error('x'), 'text', 0, null]) {
      expect(new errors.AntennaAbortError({ cause }).cause).toBe(cause);
    }
    expect('cause' in new AntennaError({ code: 'x', message: 'm' })).toBe(false);
    expect(inspect(new AntennaError({ code: 'x', message: 'm', cause: new Error('deep') }))).toContain(
      'deep',
    );
  });
});
