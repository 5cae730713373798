import { silentLogger, type Logger } from 'antenna-sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultLogger, guardLogger, safeFields } from '../../src/log/logger.js';

describe('safeFields', () => {
  it('lets through what is on the list, and nothing else', () => {
    const fields = {
      status: 500,
      path: '/x/',
      authorization: 'Token x',
      headers: {},
      body: 'b',
      password: 'p',
      url: 'u',
    };
    expect(safeFields(fields)).toEqual({ status: 500, path: '/x/' });
  });

  it('cuts what is long, and shows no inside of an object', () => {
    const fields = {
      reason: 'x'.repeat(9_000),
      job: { secret: 's' },
      cut: ['a', { b: 1 }],
      error: new TypeError('bad'),
    };
    const safe = safeFields(fields);
    expect(String(safe['reason'])).toHaveLength(500);
    expect(safe).toMatchObject({ job: '[object]', cut: ['a', '[object]'], error: 'TypeError: bad' });
  });

  it('gives plain JSON for anything', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (value) => {
        JSON.stringify(safeFields({ reason: value, job: [value] }));
        return true;
      }),
    );
  });
});

describe('guardLogger', () => {
  it('keeps a logger that throws from failing the work, and calls it as the method it is', () => {
    const lines: string[] = [];
    class Own {
      prefix = '> ';
      debug(): void {
        throw new Error('disk full');
      }
      info(_fields: object, message: string): void {
        lines.push(this.prefix + message);
      }
      warn(): void {
        throw new Error('disk full');
      }
      error(): void {
        throw new Error('disk full');
      }
    }
    const guarded: Logger = guardLogger(new Own());
    guarded.debug({}, 'x');
    guarded.info({}, 'hello');
    guarded.error({}, 'x');
    expect(lines).toEqual(['> hello']);
    silentLogger.warn({}, 'x');
  });
});

describe('defaultLogger', () => {
  it.each([
    [undefined, 'warn'],
    ['debug', 'debug'],
    ['silent', 'silent'],
    ['loud', 'warn'],
    ['constructor', 'warn'],
    ['', 'warn'],
  ])('at ANTENNA_LOG_LEVEL=%j writes from %s up', (level, expected) => {
    const logger = defaultLogger(level === undefined ? {} : { ANTENNA_LOG_LEVEL: level });
    expect((logger as unknown as { level: string }).level).toBe(expected);
  });
});
