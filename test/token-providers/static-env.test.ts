import { CredentialError, envToken, Secret, staticToken, type TokenRequest } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../src/auth/token-answer.js';
import { Credential } from '../../src/auth/credential.js';

const request: TokenRequest = { reason: 'initial', signal: new AbortController().signal };
const value = (answer: unknown): string =>
  Credential.open(readAnswer(answer, 0, undefined).credential).secret;

describe('staticToken', () => {
  it('answers its token, and prints none of it', () => {
    const provider = staticToken('a-token', { scheme: 'Token' });
    expect(value(provider(request))).toBe('a-token');
    expect(value(staticToken(new Secret('another'))(request))).toBe('another');
    expect(provider.scheme).toBe('Token');
  });
});

describe('envToken', () => {
  it('reads the variable anew each time, without white space around it', () => {
    const env: Record<string, string> = { KEY: ' one\n' };
    const provider = envToken('KEY', env);
    expect(value(provider(request))).toBe('one');
    env['KEY'] = 'two';
    expect(value(provider(request))).toBe('two');
  });

  it.each([
    [{}, /KEY is not set/],
    [{ KEY: '  ' }, /KEY is empty/],
  ])('names the variable that is missing', (env, message) => {
    expect(() => envToken('KEY', env)(request)).toThrow(CredentialError);
    expect(() => envToken('KEY', env)(request)).toThrow(message);
  });
});
