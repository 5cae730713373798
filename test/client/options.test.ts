import { AntennaClient, AntennaConfigError, Secret, type AntennaClientOptions } from 'antenna-sdk';
import { inspect } from 'node:util';
import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import { Credential } from '../../src/auth/credential.js';
import { resolveOptions } from '../../src/client/resolve-options.js';
import { KEY, thrown, TOKEN } from '../support/calls.js';

const baseUrl = 'https://antenna.example';

/** The credential's header with these options and this environment. */
function signed(options: AntennaClientOptions, env: Record<string, string> = {}): string | undefined {
  const resolved = resolveOptions({ baseUrl, ...options }, env);
  const { signal } = new AbortController();
  const answer = resolved.credential ?? resolved.credentials?.get({ reason: 'initial', signal });
  if (!(answer instanceof Credential)) return undefined;
  const { name, value } = Credential.open(answer);
  return `${name}: ${value}`;
}

function issuesOf(options: unknown, env: Record<string, string> = {}): string {
  const error = thrown(() => resolveOptions(options as AntennaClientOptions, env));
  expect(error).toBeInstanceOf(AntennaConfigError);
  const text = inspect(error, { depth: Infinity }) + JSON.stringify(error) + (error.stack ?? '');
  for (const secret of [KEY.slice(9), TOKEN]) expect(text).not.toContain(secret);
  return (error['issues'] as { path: string; message: string }[])
    .map(({ path, message }) => `${path}: ${message}`)
    .join('\n');
}

describe('a wrong option', () => {
  it.each([
    [{ baseUrl: 'antenna.example' }, 'baseUrl: is not a URL'],
    [{ baseUrl: 5 }, 'baseUrl:'],
    [{ baseUrl: '' }, 'baseUrl: is not a URL'],
    [{ apiKey: 'short' }, 'apiKey: must look like prefix.secret'],
    [{ apiKey: `${KEY}\n` }, 'apiKey: contains white space: trim it'],
    [{ apiKey: TOKEN }, 'apiKey: looks like a user token'],
    [{ apiKey: 5 }, 'apiKey: must be a string'],
    [{ token: KEY }, 'token: looks like an API key'],
    [{ token: TOKEN.toUpperCase() }, 'token: must be 40 lowercase hexadecimal digits'],
    [{ token: '' }, 'token:'],
    [{ header: { name: 'X Key', value: 'v' } }, 'header.name: is not a valid header name'],
    [{ header: { name: 'Host', value: 'v' } }, 'header.name: Host frames the request'],
    [{ header: { name: 'X-Key', value: '' } }, 'header: is empty'],
    [{ header: { name: 'X-Key', value: 'a\nb' } }, 'header: has a space, a control or a non-ASCII'],
    [{ header: { name: 'X-Key' } }, 'header.value:'],
    [{ credentials: {} }, 'credentials: must have the methods get'],
    [{ apiKey: KEY, token: TOKEN }, 'apiKey, token: exclude each other'],
    [{ dialect: 'key' }, 'dialect:'],
    [{ serviceName: '   ' }, 'serviceName:'],
    [{ serviceName: 'x'.repeat(256) }, 'serviceName:'],
    [{ clientInfo: 'me' }, 'clientInfo: must be an object or false'],
    [{ clientInfo: true }, 'clientInfo: must be an object or false'],
    [{ timeoutMs: 0 }, 'timeoutMs:'],
    [{ timeoutMs: '5' }, 'timeoutMs:'],
    [{ timeoutMs: Number.NaN }, 'timeoutMs:'],
    [{ attemptTimeoutMs: -1 }, 'attemptTimeoutMs:'],
    [{ connectTimeoutMs: Infinity }, 'connectTimeoutMs:'],
    [{ retries: -1 }, 'retries:'],
    [{ retries: 1.5 }, 'retries:'],
    [{ headers: { Authorization: 'Token x' } }, 'headers.Authorization: is set by the client'],
    [{ headers: { 'content-length': '5' } }, 'headers.content-length: is set by the client'],
    [{ headers: { 'x-note': 'a\u0000b' } }, 'headers.x-note: has a control character'],
    [{ headers: { 'x-note': 5 } }, 'headers.x-note:'],
    [{ proxy: 'localhost:3128' }, 'proxy: must be a URL such as http://'],
    [{ proxy: 'proxy' }, 'proxy: must be a URL such as http://'],
    [{ proxy: '' }, 'proxy:'],
    [{ proxy: 'ftp://proxy' }, 'proxy: must be a URL such as http://'],
    [{ dispatcher: {} }, 'dispatcher: must be an undici Dispatcher'],
    [{ fetch: 'fetch' }, 'fetch: must be a function'],
    [{ fetch, proxy: 'env' }, 'proxy, fetch: exclude each other'],
    [{ fetch, dispatcher: new Agent() }, 'dispatcher, fetch: exclude each other'],
    [{ maxConnections: 0 }, 'maxConnections:'],
    [{ maxResponseBytes: 0.5 }, 'maxResponseBytes:'],
    [{ allowInsecureHttp: 'yes' }, 'allowInsecureHttp:'],
    [{ logger: { warn: () => undefined } }, 'logger: must have the methods debug, info, warn, error'],
    [{ clock: {} }, 'clock: must have the methods now, wallNow, schedule'],
    [{ random: 0.5 }, 'random: must be a function'],
    [{ apikey: KEY }, 'Unrecognized key: "apikey"'],
  ] as [object, string][])('such as %o is named', (options, issue) => {
    expect(issuesOf({ baseUrl, ...options })).toContain(issue);
  });

  it('does not hide the others: one error names them all', () => {
    const text = issuesOf({ baseUrl: 'x', apiKey: 'y', retries: -1, proxy: 'z', unheardOf: 1 });
    for (const name of ['baseUrl', 'apiKey', 'retries', 'proxy', 'unheardOf']) expect(text).toContain(name);
  });

  it.each([null, 'https://antenna.example', 5, []])('object such as %j is refused as such', (options) => {
    expect(issuesOf(options)).toContain('must be an object');
  });

  it('that is undefined is the same as none', () => {
    const names = [
      'apiKey',
      'token',
      'header',
      'credentials',
      'proxy',
      'dispatcher',
      'fetch',
      'clock',
      'logger',
    ];
    const options = Object.fromEntries(names.map((name) => [name, undefined]));
    expect(() => resolveOptions({ ...options, baseUrl }, {})).not.toThrow();
  });
});

describe('the environment', () => {
  it.each(['ANTENNA_API_URL', 'ANTENNA_API_BASE_URL', 'AMI_ANTENNA_API_BASE_URL'])(
    'gives the address in %s, which an option beats',
    (name) => {
      const env = { [name]: ' https://env.example/api/v2 ' };
      expect(resolveOptions({}, env).url.href).toBe('https://env.example/api/v2');
      expect(resolveOptions({ baseUrl }, env).url.host).toBe('antenna.example');
    },
  );

  it.each([
    ['ANTENNA_API_KEY', KEY, `authorization: Api-Key ${KEY}`],
    ['AMI_ANTENNA_API_KEY', KEY, `authorization: Api-Key ${KEY}`],
    ['ANTENNA_API_AUTH_TOKEN', TOKEN, `authorization: Token ${TOKEN}`],
    ['AMI_ANTENNA_API_AUTH_TOKEN', TOKEN, `authorization: Token ${TOKEN}`],
  ])('gives a credential in %s, which an option of any kind beats', (name, value, header) => {
    const env = { [name]: `${value}\n` };
    expect(signed({}, env)).toBe(header);
    expect(signed({ header: { name: 'X-Key', value: 'v', prefix: 'Key' } }, env)).toBe('x-key: Key v');
    expect(signed({ token: 'f'.repeat(40) }, env)).toBe(`authorization: Token ${'f'.repeat(40)}`);
    expect(signed({ apiKey: new Secret(`12345678.${'z'.repeat(32)}`) }, env)).toContain('12345678.zzz');
  });

  it('goes by the first name, and takes an empty variable for none', () => {
    const env = {
      ANTENNA_API_URL: '',
      ANTENNA_API_BASE_URL: 'https://second.example',
      AMI_ANTENNA_API_BASE_URL: 'https://third.example',
    };
    expect(resolveOptions({}, env).url.host).toBe('second.example');
  });

  it('with key and token means the key, unless the dialect says that the server would ignore it (T7)', () => {
    const env = { ANTENNA_API_KEY: KEY, ANTENNA_API_AUTH_TOKEN: TOKEN };
    expect(signed({}, env)).toContain('Api-Key');
    expect(signed({ dialect: 'token' }, env)).toBe(`authorization: Token ${TOKEN}`);
    expect(signed({ dialect: 'token' }, { ANTENNA_API_KEY: KEY })).toContain('Api-Key');
  });

  it('is named in an error about it, and never quoted', () => {
    expect(issuesOf({ baseUrl }, { ANTENNA_API_KEY: `${KEY}x` })).toContain('apiKey: (from ANTENNA_API_KEY)');
    expect(issuesOf({ baseUrl }, { AMI_ANTENNA_API_AUTH_TOKEN: KEY })).toContain(
      'token: (from AMI_ANTENNA_API_AUTH_TOKEN) looks like an API key',
    );
    expect(issuesOf({}, { ANTENNA_API_URL: `https://u:${TOKEN}@h` })).toContain(
      'baseUrl: (from ANTENNA_API_URL)',
    );
    expect(issuesOf({ baseUrl, proxy: 'env' }, { HTTPS_PROXY: 'proxy:3128' })).toContain(
      'proxy: HTTPS_PROXY must',
    );
  });

  it('is read by the constructor', () => {
    const before = process.env['ANTENNA_API_URL'];
    process.env['ANTENNA_API_URL'] = 'https://env.example';
    try {
      expect(new AntennaClient().baseUrl).toBe('https://env.example/api/v2');
    } finally {
      if (before === undefined) Reflect.deleteProperty(process.env, 'ANTENNA_API_URL');
      else process.env['ANTENNA_API_URL'] = before;
    }
  });

  it('without an address is an error that says what to set', () => {
    expect(issuesOf({})).toContain('set ANTENNA_API_URL');
  });
});

describe('plain http', () => {
  it.each([
    { apiKey: KEY },
    { token: TOKEN },
    { header: { name: 'x', value: 'y' } },
    { credentials: { get: () => undefined } },
  ])('to another machine is refused with %o', (credential) => {
    expect(issuesOf({ baseUrl: 'http://antenna.example', ...credential })).toContain(
      'baseUrl: would send the credential unencrypted',
    );
    const trusted = { baseUrl: 'http://antenna.example', ...credential, allowInsecureHttp: true };
    expect(() => resolveOptions(trusted, {})).not.toThrow();
  });

  it.each(['http://localhost:8000', 'http://127.0.0.1', 'http://[::1]:1', 'http://api.localhost'])(
    'to this machine (%s) is harmless',
    (local) => {
      expect(() => resolveOptions({ baseUrl: local, apiKey: KEY }, {})).not.toThrow();
    },
  );

  it('without a credential is harmless', () => {
    expect(() => resolveOptions({ baseUrl: 'http://antenna.example' }, {})).not.toThrow();
  });
});

describe('the dialect', () => {
  it.each([
    [{ apiKey: KEY }, 'api-key'],
    [{ token: TOKEN }, 'token'],
    [{ header: { name: 'X-Key', value: 'v' } }, undefined],
    [{}, undefined],
    [{ token: TOKEN, dialect: 'api-key' }, 'api-key'],
    [{ header: { name: 'X-Key', value: 'v' }, dialect: 'token' }, 'token'],
  ] as [AntennaClientOptions, string | undefined][])('with %o is %j', (options, dialect) => {
    expect(resolveOptions({ baseUrl, ...options }, {}).resolvedDialect).toBe(dialect);
  });
});
