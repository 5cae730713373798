import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import {
  AntennaClient,
  AntennaConfigError,
  silentLogger,
  VERSION,
  type AntennaClientOptions,
} from 'antenna-sdk';
import { Agent, MockAgent } from 'undici';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildClientInfo } from '../../src/client/info.js';
import { resolveOptions } from '../../src/client/resolve-options.js';
import { createUndiciTransport } from '../../src/http/undici-transport.js';
import { sendJson, stubServer } from '../support/stub-server.js';

const KEY = `abcdefgh.${'k'.repeat(32)}`;
const TOKEN = '0123456789abcdef0123456789abcdef01234567';
const baseUrl = 'https://antenna.example';

function problems(options: object, env: Record<string, string> = {}): string {
  try {
    resolveOptions(options, env);
  } catch (error) {
    if (error instanceof AntennaConfigError) return error.message;
    throw error;
  }
  return '';
}

beforeEach(() => {
  for (const name of Object.keys(process.env))
    if (/^(?:AMI_)?ANTENNA_/.test(name)) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('options of AntennaClient', () => {
  it('are all named at once when wrong, a misspelt one too', () => {
    const text = problems({
      timeoutMs: -1,
      retries: 1.5,
      logger: {},
      fetch: 'x',
      dialect: 'jwt',
      apiKye: KEY,
    });
    for (const name of ['baseUrl', 'timeoutMs', 'retries', 'logger', 'fetch', 'dialect', 'apiKye'])
      expect(text).toContain(name);
  });

  it.each([
    [
      { apiKey: KEY.slice(0, -1) },
      'apiKey: must look like prefix.secret, 8 + 32 letters and digits with a dot between; this one has 40 characters',
    ],
    [{ apiKey: TOKEN }, 'apiKey: looks like a user token'],
    [{ apiKey: `${KEY}\n` }, 'apiKey: contains white space'],
    [{ token: KEY }, 'token: looks like an API key'],
    [{ token: 'abc' }, 'token: must be 40 lowercase hexadecimal digits; this one has 3 characters'],
    [{ apiKey: KEY, token: TOKEN }, 'apiKey, token: exclude each other'],
    [{ header: { name: 'bad name', value: 'v' } }, 'header.name: is not a valid header name'],
    [{ header: { name: 'Content-Length', value: 'v' } }, 'header.name: Content-Length frames the request'],
    [{ header: { name: 'x-key', value: 'a b' } }, 'header: has a space'],
    [{ proxy: 'http://p', fetch: () => undefined }, 'proxy, fetch: exclude each other'],
    [{ proxy: 'not a url' }, 'proxy: '],
  ])('refuse %o', (options, message) => {
    expect(problems({ baseUrl, ...options })).toContain(message);
    expect(problems({ baseUrl, ...options })).not.toMatch(/k{8}|0123456789abcdef/);
  });

  it('refuse to send a credential unencrypted to another machine, unless allowed', () => {
    expect(problems({ baseUrl: 'http://antenna.example', apiKey: KEY })).toContain(
      'would send the credential unencrypted',
    );
    expect(problems({ baseUrl: 'http://antenna.example', apiKey: KEY, allowInsecureHttp: true })).toBe('');
    expect(problems({ baseUrl: 'http://antenna.example' })).toBe('');
    expect(problems({ baseUrl: 'http://127.0.0.1:8000', apiKey: KEY })).toBe('');
  });

  it.each([
    ['ANTENNA_API_URL', 'ANTENNA_API_KEY', KEY, 'api-key'],
    ['ANTENNA_API_BASE_URL', 'AMI_ANTENNA_API_KEY', KEY, 'api-key'],
    ['AMI_ANTENNA_API_BASE_URL', 'ANTENNA_API_AUTH_TOKEN', TOKEN, 'token'],
    ['ANTENNA_API_URL', 'AMI_ANTENNA_API_AUTH_TOKEN', TOKEN, 'token'],
  ])('come from %s and %s', (urlName, credentialName, value, dialect) => {
    const resolved = resolveOptions({}, { [urlName]: baseUrl, [credentialName]: ` ${value}\n` });
    expect(resolved.url.href).toBe('https://antenna.example/api/v2');
    expect(resolved.resolvedDialect).toBe(dialect);
  });

  it('beat the environment, which is not even looked at for a second credential', () => {
    expect(resolveOptions({ baseUrl, token: TOKEN }, { ANTENNA_API_KEY: KEY }).resolvedDialect).toBe('token');
    expect(resolveOptions({ baseUrl }, {}).resolvedDialect).toBeUndefined();
    expect(resolveOptions({ baseUrl, apiKey: KEY, dialect: 'token' }, {}).resolvedDialect).toBe('token');
  });

  it('take a dispatcher of undici 7 and refuse one of an older major, without sending anything', () => {
    const old = {
      dispatch: (_options: unknown, handler: Record<string, unknown>) => {
        if (typeof handler['onError'] !== 'function') throw new TypeError('invalid onError method');
      },
    };
    expect(problems({ baseUrl, dispatcher: new Agent() })).toBe('');
    expect(problems({ baseUrl, dispatcher: new MockAgent() })).toBe('');
    expect(problems({ baseUrl, dispatcher: old })).toContain('comes from another major version of undici');
    expect(problems({ baseUrl, dispatcher: {} })).toContain('must be an undici Dispatcher');
  });

  it('are spelt by the compiler', () => {
    const options: AntennaClientOptions = { baseUrl };
    // @ts-expect-error: an unknown option does not compile
    const misspelt: AntennaClientOptions = { baseURL: baseUrl };
    // @ts-expect-error: a dialect is one of two words
    const dialect: AntennaClientOptions = { dialect: 'jwt' };
    expect([options, misspelt, dialect]).toHaveLength(3);
  });
});

describe('AntennaClient', () => {
  it('shows its address and dialect when printed, and no more', () => {
    const client = new AntennaClient({ baseUrl, apiKey: KEY });
    expect(inspect(client, { depth: 9, showHidden: true })).toBe(
      "AntennaClient { baseUrl: 'https://antenna.example/api/v2', dialect: api-key }",
    );
  });

  it('goes through a dispatcher that it was given, and leaves it open', async () => {
    const agent = new MockAgent();
    agent.disableNetConnect();
    const answer = { id: 1, name: 'p' };
    const headers = { 'content-type': 'application/json' };
    const path = '/api/v2/projects/1/?with_charts=false';
    agent.get(baseUrl).intercept({ path }).reply(200, answer, { headers }).times(2);
    for (let round = 0; round < 2; round++) {
      const client = new AntennaClient({ baseUrl, apiKey: KEY, dispatcher: agent });
      expect(await client.projects.get(1)).toMatchObject(answer);
      await client.close();
    }
    agent.assertNoPendingInterceptors();
    await agent.close();
  });

  it('goes through a proxy', async () => {
    const seen: string[] = [];
    const target = await stubServer((_request, response) => {
      sendJson(response, 200, { id: 1, name: 'p' });
    });
    const proxy = await stubServer(() => undefined);
    proxy.server.on('connect', (request, socket) => {
      seen.push(request.url ?? '');
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    const client = new AntennaClient({
      baseUrl: target.url,
      apiKey: KEY,
      proxy: proxy.url,
      retries: 0,
      logger: silentLogger,
    });
    await expect(client.projects.get(1)).rejects.toMatchObject({ name: 'AntennaConnectionError' });
    expect(seen).toEqual([new URL(target.url).host]);
    expect(target.seen).toEqual([]);
    await Promise.all([client.close(), target.close(), proxy.close()]);
  });

  it('closes the transport without a request ever sent', async () => {
    const transport = createUndiciTransport({ connectTimeoutMs: 1, maxConnections: 1, maxResponseBytes: 1 });
    await expect(transport.close()).resolves.toBeUndefined();
  });
});

describe('client_info', () => {
  const host = { hostname: 'node-7', platform: 'linux-x64 node-20', env: {} };

  it('says who is calling', () => {
    expect(buildClientInfo({}, host)).toEqual({
      info: { hostname: 'node-7', software: 'antenna-sdk', version: VERSION, platform: 'linux-x64 node-20' },
      cut: [],
    });
  });

  it('names the pod, from the deployment or the host name in a cluster', () => {
    expect(buildClientInfo({}, { ...host, env: { POD_NAME: 'w-0' } }).info.pod_name).toBe('w-0');
    expect(buildClientInfo({}, { ...host, env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } }).info.pod_name).toBe(
      'node-7',
    );
  });

  it('stays within the server’s limits, and says what was cut (T35)', () => {
    const many = Object.fromEntries(Array.from({ length: 23 }, (_, index) => [`extra${index}`, index]));
    const { info, cut } = buildClientInfo(
      {
        ...many,
        long: 'x'.repeat(501),
        nothing: null,
        ip: '1.2.3.4',
        software: 'y'.repeat(600),
        gone: undefined,
      },
      host,
    );
    expect(Object.keys(info).filter((key) => key.startsWith('extra'))).toHaveLength(20);
    expect(info).not.toHaveProperty('nothing');
    expect(info).not.toHaveProperty('ip');
    expect(info.software).toHaveLength(500);
    expect(cut).toEqual([
      expect.stringContaining('extra20'),
      expect.stringContaining('extra21'),
      expect.stringContaining('extra22'),
      expect.stringContaining('long'),
      'nothing is null and was left out',
      'ip is written by the server and was left out',
      'software was cut to 500 characters',
    ]);
  });

  it('leaves out what looks like a key or a token, since anyone can read it (T50)', () => {
    const { info, cut } = buildClientInfo({ note: `key ${KEY}`, deep: { token: TOKEN }, gpu: 'none' }, host);
    expect(info).toMatchObject({ gpu: 'none' });
    expect(JSON.stringify({ info, cut })).not.toMatch(/k{12}|0123456789ab/);
    expect(cut).toHaveLength(2);
  });

  it('warns through the logger when something was cut', () => {
    const warnings: unknown[] = [];
    const logger = { ...silentLogger, warn: (fields: unknown) => warnings.push(fields) };
    new AntennaClient({ baseUrl, clientInfo: { long: 'x'.repeat(501) }, logger });
    expect(warnings).toEqual([{ cut: ['long was cut to 500 characters'] }]);
  });
});

describe('VERSION', () => {
  it('is the package’s', async () => {
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(VERSION).toBe(manifest.version);
  });
});
