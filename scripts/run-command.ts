import { execFileSync } from 'node:child_process';

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
