import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { VERSION } from '../../src/version.js';
import { has, installForFile, startSite } from './harness.js';

const { cli } = await installForFile();
const site = await startSite();
afterAll(() => site.close());

/** Secret enough: no piece of it may be printed. */
const SECRET = 'prefix01.Zq7RkP2mXv9LbN4tYw6HcJ8sDf3GaE5u';
const PIECES = Array.from({ length: 21 }, (_, at) => SECRET.slice(9 + at, 21 + at));

describe('help', () => {
  it.each(['', ...COMMANDS.map(({ name }) => name)])(
    'of antenna %s says what it takes, with examples',
    async (name) => {
      const { code, stdout, stderr } = await cli.run([...name.split(' ').filter(Boolean), '--help']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatchSnapshot();
    },
  );

  it('is what antenna alone prints, and names every command and exit code', async () => {
    const { code, stdout } = await cli.run([]);
    expect(code).toBe(0);
    for (const { name } of COMMANDS) expect(stdout).toContain(name.split(' ')[0]);
    for (const exit of ['0', '1', '2', '3', '4', '130', '143'])
      expect(stdout).toMatch(new RegExp(`\\b${exit}\\b`));
  });

  it('prints the version', async () => {
    expect((await cli.run(['--version'])).stdout).toBe(`${VERSION}\n`);
  });
});

describe('wrong use', () => {
  it.each([
    [['nonsense'], /unknown command/i],
    [['jobs', '--nonsense'], /unknown option '--nonsense'/],
    [['job'], /missing required argument/],
    [['job', 'moth', '--url', 'http://127.0.0.1:9'], /whole number/],
    [['jobs', '--project', 'meadow'], /--project must be ids such as 3 or 3,7/],
    [['jobs', '--dialect', 'esperanto'], /--dialect must be api-key, token/],
    [['jobs'], /No server is configured: set ANTENNA_API_URL or give --url/],
    [['jobs', '--url', 'http://127.0.0.1:9'], /No credential is configured: set ANTENNA_API_KEY/],
    [['jobs', '--config', 'missing.json'], /missing.json: there is no such file/],
  ])('antenna %s ends with 2 and says what to do', async (args, message) => {
    const { code, stdout, stderr } = await cli.run(args);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('is one JSON document with --json, exit code included', async () => {
    const { code, stdout } = await cli.run(['jobs', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, exitCode: 2, error: { code: 'usage' } });
  });
});

describe('configuration', () => {
  it('comes from flags, then the environment, then --env-file, then antenna.config.json', async () => {
    const cwd = cli.work();
    const dead = 'http://127.0.0.1:9';
    writeFileSync(
      join(cwd, 'antenna.config.json'),
      JSON.stringify({ url: site.url, apiKey: site.env['ANTENNA_API_KEY'] }),
    );
    expect((await cli.run(['jobs', '--json'], { cwd })).code).toBe(0);
    writeFileSync(join(cwd, 'dead.env'), `ANTENNA_API_URL=${dead}\n`);
    const unreachable = await cli.run(['jobs', '--env-file', 'dead.env'], {
      cwd,
      env: { ANTENNA_CONFIG: undefined },
    });
    expect(unreachable.code).toBe(3);
    const env = { AMI_ANTENNA_API_BASE_URL: `${site.url}/api/v2` };
    expect((await cli.run(['jobs', '--env-file', 'dead.env'], { cwd, env })).code).toBe(0);
    expect((await cli.run(['jobs', '--url', dead], { cwd, env })).code).toBe(3);
  });

  it('reads antenna.config.js, and says which of its names it does not know', async () => {
    const cwd = cli.work();
    const key = site.env['ANTENNA_API_KEY'] ?? '';
    writeFileSync(
      join(cwd, 'antenna.config.js'),
      `export default { url: '${site.url}', apiKey: '${key}', colour: 'blue' }`,
    );
    const { code, stderr } = await cli.run(['jobs'], { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain('"colour" in antenna.config.js is not known');
  });

  it('warns of names that nobody reads, and not of what Kubernetes puts there', async () => {
    const env = {
      ...site.env,
      ...{ ANTENNA_APIKEY: 'misspelt', AMI_NUM_WORKERS: '4', ANTENNA_SERVICE_NAME: 'x' },
      ...{
        KUBERNETES_SERVICE_HOST: '10.0.0.1',
        ANTENNA_PORT: 'tcp://10.0.0.2:80',
        ANTENNA_PORT_80_TCP: 'tcp://10.0.0.2:80',
      },
    };
    const { stderr } = await cli.run(['jobs'], { env });
    expect(stderr).toContain('ANTENNA_APIKEY is not known and was ignored');
    expect(stderr).toContain('AMI_NUM_WORKERS has no meaning here: downloads are sized by measurement');
    expect(stderr).not.toMatch(/ANTENNA_PORT|ANTENNA_SERVICE_NAME|misspelt/);
  });

  it('asks for a key on a terminal, and does not show it', async ({ skip }) => {
    if (!(await has('python3'))) skip();
    const running = cli.start(['jobs', '--url', site.url], { terminal: true });
    await expect.poll(() => running.stdout(), { timeout: 10_000 }).toContain('not shown');
    running.child.stdin?.write(`${site.env['ANTENNA_API_KEY'] ?? ''}\r`);
    const { code, stdout } = await running.finished;
    expect(code).toBe(0);
    expect(stdout).toContain('spots');
    expect(stdout).not.toContain((site.env['ANTENNA_API_KEY'] ?? '').slice(9, 21));
  });
});

describe('secrets', () => {
  it('on the command line are warned of, and never printed', async () => {
    for (const json of [[], ['--json']]) {
      const { code, stdout, stderr } = await cli.run([
        'keys',
        'check',
        '--url',
        site.url,
        '--api-key',
        SECRET,
        ...json,
      ]);
      expect(code).toBe(4);
      expect(stderr).toMatch(/warning: --api-key puts a secret on the command line/);
      for (const piece of PIECES) expect(stdout + stderr).not.toContain(piece);
    }
  });

  it('of a wrong form are not quoted', async () => {
    const { code, stdout, stderr } = await cli.run(['jobs', '--url', site.url], {
      env: { ANTENNA_API_KEY: SECRET.slice(9) },
    });
    expect(code).toBe(2);
    for (const piece of PIECES) expect(stdout + stderr).not.toContain(piece);
  });
});

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('for %s names every command', async (shell) => {
    const { code, stdout } = await cli.run(['completion', shell]);
    expect(code).toBe(0);
    for (const { name } of COMMANDS) for (const word of name.split(' ')) expect(stdout).toContain(word);
  });

  it('completes commands, their own commands and flags in bash', async ({ skip }) => {
    if (!(await has('bash'))) skip();
    const { stdout } = await cli.run(['completion', 'bash']);
    const { execFileSync } = await import('node:child_process');
    const complete = (...words: string[]): string =>
      execFileSync(
        'bash',
        [
          '-c',
          `${stdout}\nCOMP_WORDS=(antenna ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _antenna; echo "\${COMPREPLY[*]}"`,
        ],
        { encoding: 'utf8' },
      ).trim();
    expect(complete('doc')).toBe('doctor');
    expect(complete('keys', 'ro')).toBe('rotate');
    expect(complete('keys', 'rotate', '--key')).toBe('--key-file');
    expect(complete('job', '42', '--wa')).toBe('--watch');
  });

  it('knows three shells', async () => {
    expect(await cli.run(['completion', 'tcsh'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('bash, zsh or fish') as unknown,
    });
  });
});
