import { Command, Option, type CommanderError } from 'commander';
import { VERSION } from '../version.js';
import { COMMANDS, type CommandRow } from './commands.js';
import type { Completable } from './completion.js';
import { SETTINGS, type SettingSpec } from './settings.js';

/** What was asked for on the command line. */
export interface Invocation {
  readonly row: CommandRow;
  readonly args: readonly string[];
  /** Settings and own options by name, as texts. */
  readonly flags: Readonly<Record<string, unknown>>;
}

const EPILOGUE = `
Settings come from flags, then the environment (ANTENNA_… and the AMI_… names of the Python worker), then
--env-file, then antenna.config.json or antenna.config.js in the working directory.

Exit codes: 0 done; 1 something is wrong or failed; 2 wrong flags or configuration; 3 the server cannot be
reached; 4 the credential is refused; 130 and 143 told twice to stop.

First steps:
  $ antenna doctor       with ANTENNA_API_URL and ANTENNA_API_KEY: can this machine work for that server?
  $ antenna init         writes a worker to start from
  $ antenna serve        without a server: an Antenna in memory to try it against
  $ antenna --help       this page; antenna <command> --help has flags and examples`;

/** Builds the parser. `invoked` is told of the command that was asked for. */
export function createProgram(invoked: (invocation: Invocation) => void): Command {
  const program = new Command('antenna');
  program
    .description('Workers for Antenna: from a model to a fleet.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this page')
    .helpCommand('help [command]', 'print the page of a command')
    .configureHelp({ helpWidth: 110, sortSubcommands: false })
    .showHelpAfterError('(antenna --help lists commands and flags)')
    .exitOverride()
    .addHelpText('after', EPILOGUE);
  for (const row of COMMANDS) addCommand(program, row, invoked);
  return program;
}

function addCommand(program: Command, row: CommandRow, invoked: (invocation: Invocation) => void): void {
  const [first = '', second] = row.name.split(' ');
  const parent = second === undefined ? program : groupOf(program, first);
  const command = parent.command([second ?? first, row.args].filter(Boolean).join(' '));
  command.summary(row.summary).description(`${row.summary}.`).allowExcessArguments(false);
  for (const name of row.settings) command.addOption(settingOption(SETTINGS[name]));
  for (const { flag, help, repeated } of row.own ?? [])
    command.addOption(withCollect(new Option(flag, help), repeated === true));
  command
    .option('--env-file <path>', 'file of variables, below the environment')
    .option('--config <path>', 'configuration file (default antenna.config.json or .js)')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', examplesOf(row));
  command.action(() => {
    invoked({ row, args: command.args, flags: command.opts() });
  });
}

function groupOf(program: Command, name: string): Command {
  const known = program.commands.find((command) => command.name() === name);
  return known ?? program.command(name).description('Keys of a service').exitOverride();
}

function settingOption(spec: SettingSpec): Option {
  const variable = spec.env?.[0];
  const help = variable === undefined ? spec.help : `${spec.help} [${variable}]`;
  return withCollect(new Option(spec.flag, help), spec.kind === 'ids' || spec.kind === 'list');
}

function withCollect(option: Option, repeated: boolean): Option {
  if (repeated)
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  return option;
}

function examplesOf({ examples }: CommandRow): string {
  const lines = examples.map(([line, what]) => `  $ ${line}\n      ${what}`);
  return `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.join('\n')}`;
}

/** The program as completion scripts need it. */
export function completableOf(command: Command): Completable {
  return {
    name: command.name(),
    summary: command.summary() || command.description(),
    flags: [...command.options.flatMap(({ long }) => long ?? []), '--help'],
    commands: command.commands.map(completableOf),
  };
}

/**
 * What people type out of habit from the Python worker: no command at all means `run`, and `worker` in front means nothing.
 */
export function normaliseArgs(args: readonly string[]): readonly string[] {
  const rest = args[0] === 'worker' ? args.slice(1) : args;
  const [first] = rest;
  if (first === undefined) return args.length === 0 ? ['--help'] : ['run'];
  const own = ['-h', '--help', '-V', '--version'].includes(first);
  return first.startsWith('-') && !own ? ['run', ...rest] : rest;
}

/** Help and version are no failures, wrong flags are the user's. */
export function isHelp(error: CommanderError): boolean {
  return error.exitCode === 0 || error.code === 'commander.help';
}
