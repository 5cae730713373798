import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  AntennaClient,
  clientCredentials,
  commandToken,
  Credential,
  CREDENTIAL_CHANNELS,
  envToken,
  fileToken,
  loginToken,
  REQUEST_CHANNELS,
  Secret,
  staticToken,
  type Logger,
  type TokenProvider,
} from 'antenna-sdk';
import { createTestClock, type TestClock } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { leaksOf } from '../support/leaks.js';

const KEY = 'AbCd1234.Qm9vZ2llTmlnaHRzQXRUaGVTdGFyZ2F6';
const TOKEN = 'canary-token-7f3a9c2e5b8d1046';
const CLIENT_SECRET = 'canary-client-secret-92ac77';
// An API key's prefix is public; its secret half is not.
const SECRETS = [KEY.slice(9), TOKEN, CLIENT_SECRET];

/** An error as HTTP clients make them: everything that was sent is in it. */
const chatty = (): Error =>
  Object.assign(
    new Error(`POST https://issuer/?client_secret=${CLIENT_SECRET}`, { cause: { token: TOKEN } }),
    {
      config: { headers: { authorization: `Bearer ${TOKEN}` }, data: CLIENT_SECRET },
      code: TOKEN,
      name: `Error ${TOKEN}`,
    },
  );

type Fault = (clock: TestClock) => TokenProvider;
const later = (clock: TestClock, ms: number) => new Date(clock.wallNow() + ms);

const FAULTS: Readonly<Record<string, Fault>> = {
  'none, with a plain key': () => () => KEY,
  'none, with a token that ends': (clock) => () => ({ token: TOKEN, expiresAt: later(clock, 60_000) }),
  'it throws': () => () => {
    throw chatty();
  },
  'it rejects': () => () => Promise.reject(chatty()),
  'it throws the token itself': () => () => {
    throw TOKEN as unknown as Error;
  },
  'it hangs': () => () => new Promise(() => undefined),
  'it returns a token with a line break': () => () => `${TOKEN}\n`,
  'it returns a token that is over': (clock) => () => ({ token: TOKEN, expiresAt: later(clock, -1) }),
  'it returns the wrong shape': () => () => ({ access_token: TOKEN }) as unknown as string,
  'it returns a nonsense end': () => () => ({ token: TOKEN, expiresAt: TOKEN }),
  'it returns a nonsense scheme': (clock) => () => ({
    token: TOKEN,
    expiresAt: later(clock, 60_000),
    scheme: { header: `${TOKEN}\n` },
  }),
  'it fails after a good answer': (clock) => {
    let calls = 0;
    return () => {
      calls += 1;
      if (calls > 1) throw chatty();
      return { token: TOKEN, expiresAt: later(clock, 30_000) };
    };
  },
};
/** Answers of the server, the last two of which echo what they were sent. */
const ANSWERS: Readonly<Record<string, (authorization: string) => Response>> = {
  'a good answer': () => Response.json({ count: 0, next: null, previous: null, results: [] }),
  'a 401 that echoes': (sent) => Response.json({ detail: `Invalid: ${sent}` }, { status: 401 }),
  'a 500 that echoes': (sent) => new Response(`<h1>${sent}</h1>`, { status: 500 }),
};

describe('secrets', () => {
  const cases = Object.keys(FAULTS).flatMap((fault) =>
    Object.keys(ANSWERS).map((answer) => [fault, answer] as const),
  );

  it.each(cases)(
    'do not show when the provider’s fault is: %s, and the server gives %s',
    async (fault, answer) => {
      const clock = createTestClock();
      const collected: unknown[] = [];
      const note = (...entry: unknown[]): void => void collected.push(entry);
      const logger: Logger = { debug: note, info: note, warn: note, error: note };
      const channels = [...Object.values(REQUEST_CHANNELS), ...Object.values(CREDENTIAL_CHANNELS)];
      for (const name of channels) subscribe(name, note);
      const provider = FAULTS[fault]?.(clock) ?? (() => '');
      const client = new AntennaClient({
        baseUrl: 'https://antenna.invalid',
        clock,
        logger,
        random: () => 0.5,
        retries: 1,
        tokenProvider: provider,
        fetch: (_url, { headers }) =>
          Promise.resolve(ANSWERS[answer]?.(headers['authorization'] ?? '') ?? new Response()),
      });
      const outcomes = Promise.allSettled([client.projects.list(), client.jobs.list(), client.auth.me()]);
      await clock.advance(25_000);
      const more = Promise.allSettled([client.projects.list(), client.auth.logout()]);
      await clock.advance(200_000);
      collected.push(await outcomes, await more, client, client.credentialHealth);
      for (const outcome of await outcomes) if (outcome.status === 'rejected') collected.push(outcome.reason);
      for (const name of channels) unsubscribe(name, note);
      await client.close();
      expect(collected.flatMap((value) => leaksOf(value, SECRETS))).toEqual([]);
    },
  );

  it('do not show in credentials and providers, nor in a client that was given them', () => {
    const common = { clientId: 'worker', clientSecret: CLIENT_SECRET };
    const client = new AntennaClient({
      baseUrl: 'https://antenna.invalid',
      tokenProvider: staticToken(TOKEN),
    });
    const objects: unknown[] = [
      Credential.apiKey(KEY),
      Credential.bearer(TOKEN),
      Credential.header('X-API-Key', TOKEN),
      new Secret(TOKEN),
      staticToken(KEY),
      envToken('KEY', { KEY: TOKEN }),
      fileToken('/run/secrets/key'),
      commandToken('vault', ['read', TOKEN]),
      clientCredentials({ issuer: 'https://issuer.example.org', ...common }),
      loginToken({ baseUrl: 'https://antenna.invalid', email: 'a@example.org', password: CLIENT_SECRET }),
      client,
    ];
    expect(objects.flatMap((value) => leaksOf(value, SECRETS))).toEqual([]);
  });

  it('would be found: the search sees a leak in a field, a cause and a hidden property', () => {
    const hidden = Object.defineProperty({}, 'config', { value: TOKEN, enumerable: false });
    for (const value of [{ a: { b: TOKEN } }, new Error('x', { cause: TOKEN.slice(3, 15) }), hidden, TOKEN]) {
      expect(leaksOf(value, SECRETS)).not.toEqual([]);
    }
    expect(leaksOf(chatty(), SECRETS).length).toBeGreaterThan(20);
  });
});
