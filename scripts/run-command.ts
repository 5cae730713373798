import { execFileSync } from 'node:child_process';
import { win32 } from 'node:path';

/** A program that failed; the message holds what it printed. */
export class CommandError extends Error {}

/** Runs a program to its end and returns what it wrote to standard output. */
export function run(command: string, args: readonly string[], cwd: string, env = process.env): string {
  try {
    return execFileSync(command, args, {
      cwd,
      env,
      encoding: 'utf8',
      stdio: 'pipe',
      maxBuffer: 64 * 2 ** 20,
    });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new CommandError(`${command} ${args.join(' ')}\n${stdout}${stderr}`.trim(), { cause: error });
  }
}

/**
 * How npm is started without a shell. On Windows it is a batch file, which Node starts in no other way; its JavaScript needs none. `npm run` says
 * where that is, else it stands beside Node.
 */
export function npmCommand(
  platform: string,
  execPath: string,
  npmPath: string | undefined,
): [command: string, ...args: string[]] {
  if (platform !== 'win32') return ['npm'];
  const beside = win32.join(win32.dirname(execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  return [execPath, npmPath?.endsWith('npm-cli.js') ? npmPath : beside];
}

/** Runs npm to its end, as `run` does. */
export function npm(args: readonly string[], cwd: string): string {
  const [command, ...first] = npmCommand(process.platform, process.execPath, process.env['npm_execpath']);
  return run(command, [...first, ...args], cwd);
}
