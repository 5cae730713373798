import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import {
  AntennaClient,
  AntennaWorker,
  Credential,
  REQUEST_CHANNELS,
  Secret,
  type FetchLike,
  type Logger,
} from 'antenna-sdk';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pipelineDefinition } from '../support/pipelines.js';

const SECRETS = {
  apiKey: 'prefix01.Zq7RkP2mXv9LbN4tYw6HcJ8sDf3GaE5u',
  token: '0f1e2d3c4b5a69788796a5b4c3d2e1f00112233a',
  header: 'gateway-Secret-Value-987654321',
  password: 'correct-horse-battery-staple',
  newKey: 'newkey99.Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0Kk',
};

/** What must never be seen: each secret, and every slice of twelve characters of it but an API key's public prefix. */
function slices(secret: string): string[] {
  const hidden = secret.includes('.') ? (secret.split('.')[1] ?? '') : secret;
  return Array.from({ length: hidden.length - 11 }, (_, at) => hidden.slice(at, at + 12));
}
const FORBIDDEN = Object.values(SECRETS).flatMap(slices);

/** Everything that a program may do to look into an object. */
function views(value: unknown): string {
  const seen: string[] = [inspect(value, { depth: Infinity, showHidden: true, getters: true })];
  const tries: (() => unknown)[] = [
    () => JSON.stringify(value),
    () => String(value),
    () => inspect(structuredClone(value), { depth: Infinity, showHidden: true }),
    () =>
      JSON.stringify(
        Object.getOwnPropertyNames(value).map((name) => (value as Record<string, unknown>)[name]),
      ),
    () => (value instanceof Error ? `${value.stack ?? ''} ${views(value.cause)}` : ''),
    () => {
      const lines: string[] = [];
      pino({ level: 'trace' }, { write: (line: string) => lines.push(line) }).info(
        { value, err: value },
        'seen',
      );
      return lines.join('\n');
    },
  ];
  for (const look of tries) {
    try {
      seen.push(String(look()));
    } catch {
      // What cannot be looked at in this way cannot leak in it.
    }
  }
  return seen.join('\n');
}

const collected: unknown[] = [];
const logged: string[] = [];
const logger: Logger = Object.fromEntries(
  (['debug', 'info', 'warn', 'error'] as const).map((level) => [
    level,
    (fields: unknown, message: string) => logged.push(`${message} ${inspect(fields, { depth: Infinity })}`),
  ]),
) as unknown as Logger;
const collect = (message: unknown): void => {
  collected.push(message);
};

beforeEach(() => {
  collected.length = 0;
  logged.length = 0;
  for (const name of Object.values(REQUEST_CHANNELS)) subscribe(name, collect);
});
afterEach(() => {
  for (const name of Object.values(REQUEST_CHANNELS)) unsubscribe(name, collect);
});

function expectNoSecret(...values: unknown[]): void {
  const text = [...values, ...collected].map(views).join('\n') + logged.join('\n');
  for (const slice of FORBIDDEN) expect(text).not.toContain(slice);
}

/** A server, or what stands before it, at its most indiscreet: it repeats whatever it was sent. */
const echo = (status: number, type = 'application/json'): FetchLike => {
  return (_input, init) => {
    const sent = JSON.stringify({ headers: init.headers, body: Buffer.from(init.body ?? '').toString() });
    const body =
      type === 'application/json'
        ? JSON.stringify({ detail: sent, api_key: [SECRETS.newKey], echo: sent })
        : sent;
    return Promise.resolve(
      new Response(body, {
        status,
        headers: {
          'content-type': type,
          location: `/x/${encodeURI(sent)}/?${sent}`,
          'set-cookie': sent,
          'x-request-id': sent,
        },
      }),
    );
  };
};

const FAULTS: Record<string, FetchLike> = {
  '200 with something else': echo(200),
  '200 with HTML': echo(200, 'text/html'),
  'a redirect': echo(302),
  '400': echo(400),
  '401': echo(401),
  '403': echo(403),
  '404': echo(404),
  '413': echo(413),
  '500': echo(500),
  'a fetch that quotes the headers in its error': (_input, init) =>
    Promise.reject(
      new TypeError(`failed with ${JSON.stringify(init.headers)}`, { cause: new Error(inspect(init)) }),
    ),
  'a fetch that quotes as much of the headers as fits on a line': (_input, init) =>
    Promise.reject(
      new TypeError(
        Object.values(init.headers)
          .map((value) => value.slice(0, 30))
          .join(' '),
      ),
    ),
  'HTML of a type that names the credential': (_input, init) =>
    Promise.resolve(
      new Response('<html>', {
        headers: { 'content-type': `text/${Object.values(init.headers).join('/')}` },
      }),
    ),
  'half a body': () =>
    Promise.resolve(
      new Response(`{"api_key":"${SECRETS.newKey}","auth_token":"${SECRETS.token}`, {
        headers: { 'content-type': 'application/json' },
      }),
    ),
};

const CREDENTIALS = {
  'an API key': { apiKey: SECRETS.apiKey },
  'a user token': { token: SECRETS.token },
  'a header': { header: { name: 'X-Gateway-Key', value: SECRETS.header, prefix: 'Key' } },
};

describe.each(Object.entries(CREDENTIALS))('with %s', (_, credential) => {
  it.each(Object.entries(FAULTS))('nothing shows a secret when the answer is %s', async (_name, fetch) => {
    const client = new AntennaClient({
      baseUrl: 'https://antenna.example',
      ...credential,
      dialect: 'api-key',
      fetch,
      logger,
      retries: 1,
      random: () => 0,
    });
    const worker = new AntennaWorker({ client, projects: [1], pipelines: [pipelineDefinition()], fetch });
    worker.on('error', collect);
    const errors: unknown[] = [];
    const calls = [
      () => client.projects.get(1),
      () => client.projects.list().toArray(5),
      () => client.auth.login({ email: 'someone@example.org', password: SECRETS.password }),
      () => client.auth.me(),
      () => client.processingServices.generateKey(1, 2),
      () => client.tasks.reserve(1, { batchSize: 1 }),
      () => client.results.submit(1, []),
      () => client.pipelines.register(1, []),
      () => client.probeDialect(),
      () => worker.run({ until: 'drained', handleSignals: false }),
    ];
    for (const call of calls) {
      const running = call();
      if (call === calls.at(-1)) void worker.stop({ graceMs: 0 });
      await running.catch((error: unknown) => errors.push(error));
    }
    expect(errors.length).toBeGreaterThan(4);
    expectNoSecret(client, worker, ...errors);
  });
});

describe('secrets', () => {
  it('cannot be printed, whatever is tried', () => {
    const objects = [
      new Secret(SECRETS.apiKey),
      new Secret(SECRETS.token),
      Credential.apiKey(SECRETS.apiKey),
      Credential.token(SECRETS.token),
      Credential.bearer(SECRETS.header),
      Credential.header('X-API-Key', SECRETS.header),
    ];
    expectNoSecret(...objects, { nested: [objects] });
    expect(objects[0]?.toString() ?? '').toContain('prefix01…');
    expect(new Secret(SECRETS.apiKey).reveal()).toBe(SECRETS.apiKey);
  });

  it('stay out of the errors about them', () => {
    const wrong = [
      () => new AntennaClient({ baseUrl: 'https://h', apiKey: `${SECRETS.apiKey}x` }),
      () => new AntennaClient({ baseUrl: 'https://h', apiKey: SECRETS.token }),
      () => new AntennaClient({ baseUrl: 'https://h', token: SECRETS.apiKey }),
      () => new AntennaClient({ baseUrl: `https://user:${SECRETS.password}@h`, apiKey: SECRETS.apiKey }),
      () => new AntennaClient({ baseUrl: 'https://h', header: { name: 'host', value: SECRETS.header } }),
      () =>
        new AntennaClient({
          baseUrl: 'https://h',
          header: { name: 'x-key', value: `${SECRETS.header}\r\nx: y` },
        }),
    ];
    const errors = wrong.map((make) => {
      try {
        make();
      } catch (error) {
        return error;
      }
      throw new Error('it should have been refused');
    });
    expectNoSecret(...errors);
  });
});
