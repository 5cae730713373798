import { describe, expect, it } from 'vitest';
import { loginRequestSchema, loginResponseSchema, userSchema } from '../../src/contract/index.js';
import { refusal } from './refusal.js';

describe('login', () => {
  it('takes an e-mail address, and names the field for whoever sends a user name', () => {
    const body = { email: 'a@example.org', password: 'secret' };
    expect(loginRequestSchema.parse(body)).toEqual(body);
    expect(refusal(loginRequestSchema, { username: 'a', password: 'secret' })).toMatch(/"username"[^]*email/);
  });

  it.each(['email', 'password'])(
    'refuses an empty %s, which the server answers as if it were wrong',
    (key) => {
      const body = { email: 'a@example.org', password: 'secret', [key]: '' };
      expect(refusal(loginRequestSchema, body)).toContain(key);
    },
  );

  it('never repeats a password in its message', () => {
    expect(refusal(loginRequestSchema, { email: '', password: 'hunter2-hunter2' })).not.toContain('hunter2');
  });

  it('answers with a token or the answer is damage', () => {
    expect(loginResponseSchema.parse({ auth_token: 'abc', expires: null })).toEqual({
      auth_token: 'abc',
      expires: null,
    });
    for (const body of [{}, { auth_token: '' }, { auth_token: null }, '<html>']) {
      expect(loginResponseSchema.safeParse(body).success).toBe(false);
    }
  });
});

describe('me', () => {
  it('keeps unknown fields and fills a missing name', () => {
    expect(userSchema.parse({ id: 4, email: 'a@example.org', badge: 'gold' })).toEqual({
      id: 4,
      name: '',
      email: 'a@example.org',
      badge: 'gold',
    });
  });

  it('without an id is damage', () => {
    expect(refusal(userSchema, { name: 'a' })).toContain('id');
  });
});
