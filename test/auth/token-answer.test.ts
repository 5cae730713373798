import { Credential, CredentialError, Secret } from 'antenna-sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../src/auth/token-answer.js';

const NOW = Date.UTC(2026, 4, 1, 12);
const KEY = 'AbCd1234.abcdefghijklmnopqrstuvwxyz123456';
const header = (answer: unknown, scheme?: Parameters<typeof readAnswer>[2]) => {
  const { name, value } = Credential.open(readAnswer(answer, NOW, scheme).credential);
  return `${name}: ${value}`;
};
const refusal = (answer: unknown): CredentialError => {
  try {
    readAnswer(answer, NOW, undefined);
  } catch (error) {
    if (error instanceof CredentialError) return error;
    throw error;
  }
  throw new Error('was accepted');
};

describe('readAnswer', () => {
  it('sends a token as its form says when nobody names a scheme', () => {
    expect(header(KEY)).toBe(`authorization: Api-Key ${KEY}`);
    expect(header('0123456789abcdef0123456789abcdef01234567')).toMatch(/^authorization: Token /);
    expect(header('eyJ.eyJ.sig')).toBe('authorization: Bearer eyJ.eyJ.sig');
  });

  it('lets the scheme of the answer beat the client’s', () => {
    expect(header('abc', 'Token')).toBe('authorization: Token abc');
    expect(header({ token: 'abc', scheme: 'Bearer' }, 'Token')).toBe('authorization: Bearer abc');
    expect(header('abc', { header: 'X-API-Key' })).toBe('x-api-key: abc');
    expect(header('abc', { header: 'X-API-Key', prefix: 'key' })).toBe('x-api-key: key abc');
  });

  it('takes an end as Date, milliseconds or ISO text with a zone', () => {
    const end = NOW + 60_000;
    for (const expiresAt of [new Date(end), end, new Date(end).toISOString(), '2026-05-01T14:01:00+02:00']) {
      expect(readAnswer({ token: 'abc', expiresAt }, NOW, undefined).expiresAtMs).toBe(end);
    }
    expect(readAnswer(new Secret('abc'), NOW, undefined).expiresAtMs).toBeUndefined();
  });

  it.each([
    ['nothing', undefined, /forgotten `return`/],
    ['null', null, /null/],
    ['an empty text', '', /empty text/],
    ['a number', 7, /type number/],
    ['an object without token', { expiresAt: NOW + 1 }, /whose `token` is undefined/],
    ['an end in seconds', { token: 'abc', expiresAt: NOW / 1_000 }, /seconds/],
    ['a time without zone', { token: 'abc', expiresAt: '2026-05-01T14:00:00' }, /zone/],
    ['an invalid Date', { token: 'abc', expiresAt: new Date(Number.NaN) }, /no time/],
    ['an unknown scheme', { token: 'abc', scheme: 'Basic' }, /scheme/],
    ['a header that frames the message', { token: 'abc', scheme: { header: 'Host' } }, /Host/],
  ])('refuses %s with a reason', (_, answer, reason) => {
    expect(refusal(answer)).toMatchObject({ code: 'credential', problem: 'invalid' });
    expect(refusal(answer).message).toMatch(reason);
  });

  it('refuses a token that is over, and says since when', () => {
    const error = refusal({ token: 'abc', expiresAt: NOW - 30_000 });
    expect(error.problem).toBe('expired');
    expect(error.message).toMatch(/30 s ago/);
  });

  it('refuses every token with a control character or a space, without quoting it', () => {
    const unsafe = fc.constantFrom('\n', '\r\n', '\0', '\t', ' ', '\u007f', 'é');
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]{20}$/), unsafe, fc.nat(20), (text, bad, at) => {
        const error = refusal(text.slice(0, at) + bad + text.slice(at));
        expect(error.problem).toBe('invalid');
        for (let i = 0; i + 12 <= text.length; i++)
          expect(error.message).not.toContain(text.slice(i, i + 12));
      }),
    );
  });
});
