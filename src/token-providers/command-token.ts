import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { CredentialError } from '../errors/credential.js';
import {
  checkArguments,
  checkOptions,
  isClock,
  isDuration,
  isEnvironment,
  isText,
  isTexts,
  type Check,
} from '../errors/arguments.js';
import { systemClock, type Clock } from '../time/clock.js';
import { startHint } from '../system/start-hint.js';
import type { TokenProvider } from '../auth/token-provider.js';
import { readOutput } from './command-output.js';

const MAX_OUTPUT_BYTES = 65_536;

/** Options of {@link commandToken}. */
export interface CommandTokenOptions {
  /** Milliseconds after which the command is killed. Default 10,000. */
  readonly timeoutMs?: number;
  /** How long a token serves whose end the command does not print. Default 300,000: a process for every request would cost more than the request. */
  readonly lifetimeMs?: number;
  /** Environment of the command. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Working directory of the command. Default: this process's. */
  readonly cwd?: string;
  /** Source of time, for tests. */
  readonly clock?: Clock;
}

const OPTIONS: { readonly [Name in keyof Required<CommandTokenOptions>]: Check } = {
  timeoutMs: isDuration,
  lifetimeMs: isDuration,
  env: isEnvironment,
  cwd: isText,
  clock: isClock,
};

/**
 * A provider that runs a command and reads its standard output: a token alone, or JSON with its end (`expiresAt`, `expires_at`,
 * `expires_in`, or a Kubernetes `ExecCredential`). No shell is involved. What the command prints to standard error is never shown,
 * as it may hold a secret.
 * @throws AntennaConfigError when the command is none, or naming every wrong option.
 */
export function commandToken(
  command: string,
  args: readonly string[] = [],
  options: CommandTokenOptions = {},
): TokenProvider {
  checkArguments({ command, args }, { command: isText, args: isTexts });
  checkOptions('Invalid commandToken options', options, OPTIONS);
  const { lifetimeMs = 300_000, clock = systemClock } = options;
  return async ({ signal }) => {
    const startedAtMs = clock.wallNow();
    const { token, expiresAt } = readOutput(await run(command, args, options, signal), startedAtMs);
    return { token, expiresAt: expiresAt ?? startedAtMs + lifetimeMs };
  };
}

function run(
  command: string,
  args: readonly string[],
  options: CommandTokenOptions,
  signal: AbortSignal,
): Promise<string> {
  const { timeoutMs = 10_000, env, cwd } = options;
  return new Promise((resolve, reject) => {
    const settings = {
      encoding: 'utf8' as const,
      timeout: timeoutMs,
      maxBuffer: MAX_OUTPUT_BYTES,
      // A command that hangs in a system call ignores gentler signals, and would pile up with every refresh.
      killSignal: 'SIGKILL' as const,
      windowsHide: true,
      shell: false,
      signal,
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
    };
    try {
      const child = execFile(command, [...args], settings, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(explain(command, error, stderr.length, timeoutMs));
      });
      // A command that asks for a password on standard input gets its end instead of waiting for ever.
      child.stdin?.on('error', () => undefined).end();
    } catch (error) {
      // Not by the callback: Node refuses a batch file of Windows at once.
      const { code } = error as { readonly code?: unknown };
      reject(code === 'EINVAL' ? explain(command, error as Error, 0, timeoutMs) : (error as Error));
    }
  });
}

/** execFile's own message holds the arguments and the whole standard error. */
export function explain(
  command: string,
  error: Error & { code?: unknown; killed?: boolean; signal?: unknown },
  stderrChars: number,
  timeoutMs: number,
  platform: NodeJS.Platform = process.platform,
): CredentialError {
  const name = `The token command ${basename(command)}`;
  if (error.code === 'ENOENT')
    return new CredentialError(
      `${name} was not found: check the path, PATH and cwd${startHint(command, platform)}`,
    );
  if (error.code === 'EINVAL')
    return new CredentialError(`${name} cannot be started${startHint(command, platform)}`);
  if (error.code === 'EACCES') return new CredentialError(`${name} may not be run: check its mode`);
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
    return new CredentialError(`${name} printed more than ${MAX_OUTPUT_BYTES} bytes: no token is that long`, {
      problem: 'invalid',
    });
  }
  if (error.killed === true) {
    return new CredentialError(`${name} did not end within ${timeoutMs} ms and was killed`, {
      problem: 'timeout',
    });
  }
  const end = typeof error.code === 'number' ? `ended with exit code ${error.code}` : 'was ended by a signal';
  const hint =
    stderrChars > 0 ? `; it printed ${stderrChars} characters to standard error, not shown here` : '';
  return new CredentialError(`${name} ${end}${hint}: run it by hand to see why`);
}
