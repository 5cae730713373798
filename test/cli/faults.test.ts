import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContractServer } from 'antenna-sdk/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { installForFile, startSite, writeModule, type Finished } from './harness.js';

const { cli } = await installForFile();
const site = await startSite();
/** A server that knows no keys. */
const keyless = createContractServer({ dialect: 'token' });
const { origin: keylessUrl } = await keyless.listen();
const cwd = cli.work();

const PASSWORD = 'Zq7-staff-pass-phrase';

writeModule(cwd);
keyless.project({ name: 'Public' });
site.server.user({ staff: true, email: 'staff@example.org', password: PASSWORD });
afterAll(() => Promise.all([site.close(), keyless.close()]));

const NOBODY = 'http://127.0.0.1:59';
const STAFF = { ANTENNA_STAFF_EMAIL: 'staff@example.org', ANTENNA_STAFF_PASSWORD: PASSWORD };
/** Commands that talk to a server with the key of a service. */
const OF_A_SERVICE: readonly (readonly string[])[] = [
  ['doctor'],
  ['register', '--module', 'spots.mjs'],
  ['keys', 'check'],
  ['jobs'],
  ['job', '1'],
  ['bench', '--job', '1', '--max-time', '2s', '--tasks', '1'],
];
/** Those of a member of the staff. */
const OF_STAFF: readonly (readonly string[])[] = [
  ['provision', '--project', '1', '--service-name', 'other'],
  ['keys', 'rotate', '--project', '1', '--service-name', 'other'],
];
const run = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Finished> =>
  cli.run(args, { cwd, env });
const word = (args: readonly string[]): string => args.slice(0, 2).join(' ');

describe('a key that the server has revoked', () => {
  it.each(OF_A_SERVICE)('ends antenna %s %s with its code and says what to do', async (...args) => {
    const key = site.service.key();
    key.revoke();
    const { code, stdout, stderr } = await run(args, { ...site.env, ANTENNA_API_KEY: key.value });
    expect(code).toBe(args[0] === 'doctor' ? 1 : 4);
    expect(stdout + stderr).toMatch(/unknown or was revoked/);
    expect(stdout + stderr).not.toContain(key.value.slice(9, 21));
  });

  it('ends antenna run at the start, with a project and without one', async () => {
    const key = site.service.key();
    key.revoke();
    for (const more of [[], ['--project', String(site.project.id)], ['--workers', '2']]) {
      const args = ['run', '--module', 'spots.mjs', ...more];
      const { code, stderr } = await run(args, { ...site.env, ANTENNA_API_KEY: key.value });
      expect(code, more.join(' ')).toBe(4);
      expect(stderr).toMatch(/unknown or was revoked/);
      expect(stderr).not.toContain(key.value.slice(9, 21));
    }
  }, 60_000);
});

describe('a key for a server that knows none', () => {
  it.each([
    [['doctor'], 1],
    [['register', '--module', 'spots.mjs'], 4],
    [['keys', 'check'], 4],
    [['run', '--module', 'spots.mjs'], 4],
    [['run', '--module', 'spots.mjs', '--project', '1'], 4],
  ])('ends antenna %j with %i, and says that a token is wanted', async (args, expected) => {
    const { code, stdout, stderr } = await run(args, { ...site.env, ANTENNA_API_URL: keylessUrl });
    expect(stdout + stderr).toMatch(/superuser’s token/);
    expect(code).toBe(expected);
  });

  it('is found out by doctor when the settings insist on the other kind', async () => {
    const token = keyless.user({ superuser: true }).token;
    const env = { ANTENNA_API_URL: keylessUrl, ANTENNA_API_AUTH_TOKEN: token };
    expect((await run(['doctor'], env)).stdout).toMatch(/✓ dialect +token/);
    const { code, stdout } = await run(['doctor', '--dialect', 'api-key'], env);
    expect(stdout).toMatch(/✗ dialect .*token, the settings say api-key/);
    expect(code).toBe(1);
  });
});

describe('a server that does not answer', () => {
  it.each([...OF_A_SERVICE, ...OF_STAFF])('ends antenna %s %s with 3', async (...args) => {
    const { code, stdout, stderr } = await run(args, { ...site.env, ...STAFF, ANTENNA_API_URL: NOBODY });
    expect(stdout + stderr).toMatch(/ECONNREFUSED/);
    expect(code).toBe(args[0] === 'doctor' ? 1 : 3);
  });

  it('is not taken for idleness by antenna run', async () => {
    // Long enough for the first request to have been tried several times.
    const args = ['run', '--module', 'spots.mjs', '--exit-when-idle', '8s'];
    const { code, stdout, stderr } = await run(args, { ...site.env, ANTENNA_API_URL: NOBODY });
    expect(stderr).toMatch(/nothing to do .* and the server could not be asked: /);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, taken: 0 });
    expect(code).toBe(3);
  });
});

describe('nothing that is configured', () => {
  it.each([
    ...OF_A_SERVICE.filter(([name]) => name !== 'doctor'),
    ...OF_STAFF,
    ['run', '--module', 'spots.mjs'],
  ])('ends antenna %s %s with 2: first for the server, then for the credential', async (...args) => {
    const first = await run(args, {});
    expect(first.stderr).toMatch(/No server is configured: set ANTENNA_API_URL/);
    const second = await run(args, { ANTENNA_API_URL: NOBODY });
    expect(second.stderr).toMatch(/No credential is configured: set /);
    expect([first.code, second.code]).toEqual([2, 2]);
  });

  it('is what doctor finds as well', async () => {
    const { code, stdout, stderr } = await run(['doctor'], {});
    expect(code).toBeGreaterThan(0);
    expect(stdout + stderr).toMatch(/ANTENNA_API_URL/);
  });
});

describe('no piece of a secret', () => {
  /** Twelve characters in a row of the secret half of a key, or of another secret. */
  const pieces = (secret: string): string[] =>
    Array.from({ length: Math.max(1, secret.length - 11) }, (_, at) => secret.slice(at, at + 12));

  const WAYS = ['flag', 'variable', 'env-file', 'config', 'file'] as const;
  function given(way: (typeof WAYS)[number], key: string): { args: string[]; env: Record<string, string> } {
    const name = `${way}-${key.slice(0, 8)}`;
    const write = (text: string): string => (writeFileSync(join(cwd, name), text), name);
    switch (way) {
      case 'flag':
        return { args: ['--api-key', key], env: {} };
      case 'variable':
        return { args: [], env: { ANTENNA_API_KEY: key } };
      case 'env-file':
        return { args: ['--env-file', write(`ANTENNA_API_KEY=${key}\n`)], env: {} };
      case 'config':
        return { args: ['--config', write(JSON.stringify({ apiKey: key }))], env: {} };
      case 'file':
        return { args: ['--api-key-file', write(key)], env: {} };
    }
  }

  const COMMANDS = [
    ...OF_A_SERVICE,
    ['run', '--module', 'spots.mjs', '--project', '1', '--exit-when-idle', '1s'],
  ];
  it.each(COMMANDS)(
    'is printed by antenna %s %s, however the key is given and whatever goes wrong',
    async (...args) => {
      for (const [at, way] of WAYS.entries()) {
        const key = site.service.key();
        const { args: more, env } = given(way, key.value);
        if (at % 2 === 1) key.revoke();
        const url = way === 'file' ? NOBODY : site.url;
        const json = at % 2 === 0 ? ['--json'] : [];
        const { stdout, stderr } = await run([...args, ...more, ...json], { ANTENNA_API_URL: url, ...env });
        expect(stdout + stderr, `${word(args)} by ${way}`).not.toBe('');
        for (const piece of pieces(key.value.slice(9)))
          expect(stdout + stderr, `${word(args)} by ${way}`).not.toContain(piece);
      }
    },
    60_000,
  );

  it('is printed by the commands of the staff, whose password is wrong or right', async () => {
    for (const password of [PASSWORD, 'Wrong-phrase-of-a-user']) {
      for (const args of OF_STAFF) {
        const { stdout, stderr } = await run([...args, '--password', password], {
          ...{ ANTENNA_API_URL: site.url, ANTENNA_STAFF_EMAIL: 'staff@example.org' },
        });
        for (const piece of pieces(password)) expect(stdout + stderr, word(args)).not.toContain(piece);
      }
    }
  }, 60_000);

  it('is quoted from values that cannot be used', async () => {
    const secret = 'prefix01.Zq7RkP2mXv9LbN4tYw6HcJ8sDf3GaE5u-too-long';
    writeFileSync(join(cwd, 'broken.json'), `{ "apiKey": "${secret}", }`);
    for (const [args, env] of [
      [['jobs', '--config', 'broken.json'], {}],
      [['jobs', '--url', `http://user:${secret}@127.0.0.1:59`], { ANTENNA_API_KEY: 'x.y' }],
      [['jobs', '--proxy', `http://user:${secret}@127.0.0.1:59`], site.env],
      [['jobs', '--dialect', secret], site.env],
      [['jobs', '--project', secret], site.env],
    ] as const) {
      const { code, stdout, stderr } = await run(args, { ANTENNA_API_URL: site.url, ...env });
      expect(code, args[1]).not.toBe(0);
      for (const piece of pieces(secret.slice(9))) expect(stdout + stderr, args[1]).not.toContain(piece);
    }
  }, 60_000);

  it('is on the page of a worker or in its numbers', async () => {
    const args = ['run', '--module', 'spots.mjs', '--port', '0', '--view', '--api-key', site.key];
    const running = cli.start(args, { cwd, env: { ANTENNA_API_URL: site.url } });
    await expect.poll(() => running.stderr(), { timeout: 20_000 }).toContain('status page: ');
    const page = /status page: (\S+)/.exec(running.stderr())?.[1] ?? '';
    for (const path of ['', 'status.json', 'livez', 'readyz', 'metrics']) {
      const text = await (await fetch(page + path)).text();
      for (const piece of pieces(site.key.slice(9))) expect(text, path).not.toContain(piece);
    }
    running.child.kill('SIGTERM');
    const { stdout, stderr } = await running.finished;
    for (const piece of pieces(site.key.slice(9))) expect(stdout + stderr).not.toContain(piece);
  }, 60_000);
});
