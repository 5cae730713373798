#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT, exitCodeOf } from './exit-codes.js';
import type { CommandFrame } from './frame.js';
import { Output } from './output.js';
import { completableOf, createProgram, isHelp, normaliseArgs, type Invocation } from './program.js';
import { readConfiguration } from './sources.js';

/** Reads the command line. @returns the command, or the exit code where there is none to run. */
function parse(args: readonly string[]): Invocation | number {
  let invocation: Invocation | undefined;
  const program = createProgram((found) => {
    invocation = found;
  });
  try {
    program.parse(normaliseArgs(args), { from: 'user' });
    return invocation ?? EXIT.usage;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return isHelp(error) ? EXIT.ok : EXIT.usage;
  }
}

async function frameOf({ row, args, flags }: Invocation, out: Output): Promise<CommandFrame> {
  const { env } = process;
  const text = (name: string): string | undefined =>
    typeof flags[name] === 'string' ? flags[name] : undefined;
  const own = new Set<string>(row.settings);
  const configuration = await readConfiguration({
    flags: Object.fromEntries(Object.entries(flags).filter(([name]) => own.has(name))),
    env,
    cwd: process.cwd(),
    envFile: text('envFile'),
    configFile: text('config'),
  });
  for (const warning of configuration.warnings) out.warn(warning);
  const interactive = process.stdin.isTTY && process.stderr.isTTY && !out.json && (env['CI'] ?? '') === '';
  return {
    ...configuration,
    out,
    env,
    cwd: process.cwd(),
    interactive,
    args,
    options: flags,
    completable: () => completableOf(createProgram(() => undefined)),
  };
}

async function main(): Promise<number> {
  const invocation = parse(process.argv.slice(2));
  if (typeof invocation === 'number') return invocation;
  const { stdout, stderr, env } = process;
  const out = new Output({ stdout, stderr, env, json: invocation.flags['json'] === true });
  try {
    const frame = await frameOf(invocation, out);
    const { run } = await invocation.row.load();
    return await run(frame);
  } catch (error) {
    const { redact } = await import('../index.js');
    const message = redact(error instanceof Error ? error.message : String(error), []);
    const code = exitCodeOf(error);
    out.document({
      ok: false,
      error: { code: (error as { code?: unknown }).code ?? 'error', message },
      exitCode: code,
    });
    out.note(`${out.paint.red('antenna:')} ${message}`);
    return code;
  }
}

// A reader that leaves, such as `head`, is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
// Not `process.exit`: it would cut off what a pipe has not taken yet. A signal's own code, set by the worker, stays.
if (process.argv[2] === 'run-worker' && process.send !== undefined) {
  // A process of `antenna run --workers`: no command of a person's, and nothing of its settings is on a command line.
  const { runChild } = await import('./run/child.js');
  await runChild();
} else {
  const code = await main();
  process.exitCode ??= code;
  // A handler that was given up may have left a timer or a connection, which must not keep a stopped worker alive.
  setTimeout(() => process.exit(), 1_000).unref();
}
