import { commandToken, type CommandTokenOptions, CredentialError } from 'antenna-sdk';
import { createTestClock } from 'antenna-sdk/testing';
import { describe, expect, it } from 'vitest';
import { Credential } from '../../src/auth/credential.js';
import { readAnswer } from '../../src/auth/token-answer.js';
import { explain } from '../../src/token-providers/command-token.js';
import { readOutput } from '../../src/token-providers/command-output.js';

const clock = createTestClock();
const SECRET = 'Zm9vYmFyYmF6cXV4c2VjcmV0';

async function run(
  script: string,
  options: CommandTokenOptions = {},
  args: string[] = [],
  signal?: AbortSignal,
) {
  const provider = commandToken(process.execPath, ['-e', script, ...args], { clock, ...options });
  const answer = await provider({ reason: 'initial', signal: signal ?? new AbortController().signal });
  const { credential, expiresAtMs } = readAnswer(answer, clock.wallNow(), undefined);
  return { secret: Credential.open(credential).secret, inMs: (expiresAtMs ?? 0) - clock.wallNow() };
}
const failure = async (...args: Parameters<typeof run>): Promise<CredentialError> => {
  const error: unknown = await run(...args).catch((thrown: unknown) => thrown);
  if (error instanceof CredentialError) return error;
  throw new Error('no CredentialError', { cause: error });
};

describe('commandToken', () => {
  it('takes a token alone, and keeps it for five minutes', async () => {
    expect(await run('console.log("a-token")')).toEqual({ secret: 'a-token', inMs: 300_000 });
  });

  it('takes JSON with an end', async () => {
    const script = 'console.log(JSON.stringify({ token: "a-token", expires_in: 90 }))';
    expect(await run(script)).toEqual({ secret: 'a-token', inMs: 90_000 });
  });

  it('hands arguments over as they are: there is no shell to read them', async () => {
    const argument = '$(echo owned); `id` && "quoted" *';
    const script = 'console.log(Buffer.from(process.argv[1]).toString("hex"))';
    expect((await run(script, {}, [argument])).secret).toBe(Buffer.from(argument).toString('hex'));
  });

  it('never shows what the command wrote to standard error, nor its arguments', async () => {
    const error = await failure(`console.error("${SECRET}"); process.exit(3)`, {}, [SECRET]);
    expect(error.message).toMatch(/exit code 3; it printed \d+ characters/);
    expect(error.message).not.toContain(SECRET.slice(0, 12));
  });

  it('kills a command that does not end', async () => {
    const error = await failure('setInterval(() => 0, 1000)', { timeoutMs: 300 });
    expect(error).toMatchObject({ problem: 'timeout' });
    expect(error.message).toMatch(/did not end within 300 ms/);
  });

  it('refuses a flood of output', async () => {
    expect((await failure('process.stdout.write("x".repeat(200000))')).message).toMatch(
      /more than 65536 bytes/,
    );
  });

  it('says when the command is not there', async () => {
    const provider = commandToken('no-such-command-anywhere');
    await expect(provider({ reason: 'initial', signal: new AbortController().signal })).rejects.toThrow(
      /no-such-command-anywhere was not found/,
    );
  });

  it.each([
    ['az', 'ENOENT', /az was not found: check the path, PATH and cwd: on Windows only \.exe files are found/],
    [
      'az.cmd',
      'EINVAL',
      /az\.cmd cannot be started: on Windows a \.cmd or \.bat file is not started without a shell/,
    ],
  ])('says of %s with %s what Windows starts', (command, code, words) => {
    const error = Object.assign(new Error(code), { code });
    expect(explain(command, error, 0, 1, 'win32').message).toMatch(words);
    expect(explain(command, error, 0, 1, 'linux').message).not.toContain('Windows');
  });

  it('does not let a command wait for input', async () => {
    const script = 'process.stdin.on("end", () => console.log("after-end")).resume()';
    expect((await run(script)).secret).toBe('after-end');
  });
});

describe('readOutput', () => {
  it.each([
    ['{"access_token":"t","expires_in":"60"}', 61_000],
    ['{"token":"t","expiresAt":"2026-05-01T12:00:00Z"}', '2026-05-01T12:00:00Z'],
    ['{"token":"t","expires_at":1777636800}', 1_777_636_800_000],
    ['{"token":"t","expires_at":1777636800000}', 1_777_636_800_000],
    [
      '{"kind":"ExecCredential","status":{"token":"t","expirationTimestamp":"2026-05-01T12:00:00Z"}}',
      '2026-05-01T12:00:00Z',
    ],
    ['{"token":"t"}', undefined],
  ])('reads %s', (text, expiresAt) => {
    expect(readOutput(text, 1_000)).toEqual({ token: 't', expiresAt });
  });

  it.each([
    ['', /nothing/],
    [`{"token": "${SECRET}"`, /begins as JSON/],
    [`{"key":"${SECRET}"}`, /without a `token`/],
    ['{"token":"t","expires_in":"soon"}', /expires_in/],
    ['{"token":"t","expires_at":[]}', /neither text nor number/],
  ])('refuses %s without quoting it', (text, message) => {
    expect(() => readOutput(text, 0)).toThrow(message);
    expect(() => readOutput(text, 0)).not.toThrow(SECRET);
  });
});
