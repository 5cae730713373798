import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redact, redactJson } from '../../src/http/redact.js';

const KEY = 'prefix01.Zq7RkP2mXv9LbN4tYw6HcJ8sDf3GaE5u';
const secretArbitrary = fc.stringMatching(/^[A-Za-z0-9]{13,45}$/);

describe('redact', () => {
  it('leaves no twelve characters in a row of a secret, however it is cut', () => {
    fc.assert(
      fc.property(
        secretArbitrary,
        fc.string(),
        fc.string(),
        fc.nat(45),
        fc.nat(45),
        (secret, before, after, from, to) => {
          const piece = secret.slice(Math.min(from, to), Math.max(from, to));
          const clean = redact(`${before}${piece}${after}`, [secret]);
          for (let at = 0; at + 12 <= secret.length; at++) {
            if (clean.includes(secret.slice(at, at + 12))) return false;
          }
          return true;
        },
      ),
    );
  });

  it('keeps what is no secret, word for word', () => {
    const text = 'This field is required. See https://antenna.example/docs';
    expect(redact(text, [KEY, 'a-password-of-somebody'])).toBe(text);
  });

  it('takes out keys and tokens that nobody told it about', () => {
    const other = `other999.${'Z'.repeat(32)}`;
    expect(redact(`new key: ${other}, token ${'ab12'.repeat(10)}.`, [])).toBe(
      'new key: [redacted], token [redacted].',
    );
  });

  it('takes several pieces out of one text', () => {
    const secret = KEY.slice(9);
    expect(redact(`<${secret.slice(0, 12)}> and <${secret.slice(5, 20)}>`, [KEY])).toBe(
      '<[redacted]> and <[redacted]>',
    );
  });
});

describe('redactJson', () => {
  it('finds a secret that an escape hides, in values and in names', () => {
    const password = 'p"ss\\wörd\nwith everything';
    const echoed = JSON.parse(JSON.stringify({ a: [{ b: password }], [password]: 1 })) as unknown;
    expect(redactJson(echoed, [password])).toEqual({ a: [{ b: '[redacted]' }], '[redacted]': 1 });
  });

  it('leaves numbers alone, so that a secret of digits cannot turn JSON into something else', () => {
    expect(redactJson({ count: 123456789 }, ['123456'])).toEqual({ count: 123456789 });
  });

  it('survives a body of ten thousand brackets', () => {
    const bomb = JSON.parse(`${'['.repeat(10_000)}${']'.repeat(10_000)}`) as unknown;
    expect(() => redactJson(bomb, [KEY])).not.toThrow();
  });
});
