import { UsageError } from './exit-codes.js';

/** What may be completed: a command, its flags and its own commands. */
export interface Completable {
  readonly name: string;
  readonly summary: string;
  /** Long flags, such as `--json`. */
  readonly flags: readonly string[];
  readonly commands: readonly Completable[];
}

const HEAD = '# Made by: antenna completion';

/** The completion script of a shell, to be sourced. @throws UsageError for a shell that is none of the three. */
export function completionScript(shell: string, root: Completable): string {
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell as keyof typeof SHELLS] : undefined;
  if (script === undefined)
    throw new UsageError(`No completion for ${JSON.stringify(shell)}: bash, zsh or fish`);
  return `${HEAD} ${shell}\n${script(root)}`;
}

const words = (of: Completable): string => [...of.commands.map(({ name }) => name), ...of.flags].join(' ');

function cases(root: Completable): string {
  return root.commands
    .flatMap((command) => [
      // The longer path first: of several patterns a shell takes the first that fits.
      ...command.commands.map((sub) => `    "${command.name} ${sub.name}"*) words="${words(sub)}" ;;`),
      `    "${command.name} "*) words="${words(command)}" ;;`,
    ])
    .join('\n');
}

/** The words before the cursor that are no flags name the command. */
const bash = (root: Completable): string => `_antenna() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="$path$word " ;; esac
  done
  case "$path" in
    "") words="${words(root)}" ;;
${cases(root)}
  esac
  COMPREPLY=( $(compgen -W "$words" -- "$cur") )
  [ \${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=( $(compgen -f -- "$cur") )
  return 0
}
complete -o filenames -F _antenna antenna
`;

const zsh = (root: Completable): string => `autoload -U +X bashcompinit && bashcompinit
${bash(root)}`;

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`\'`)}'`;

const fish = (root: Completable): string =>
  [
    ...root.commands.map(
      ({ name, summary }) =>
        `complete -c antenna -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ),
    ...root.commands.flatMap(({ name, flags, commands }) => [
      ...commands.map(
        (sub) =>
          `complete -c antenna -n '__fish_seen_subcommand_from ${name}' -f -a ${sub.name} -d ${quoted(sub.summary)}`,
      ),
      ...[...flags, ...commands.flatMap((sub) => sub.flags)].map(
        (flag) => `complete -c antenna -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}`,
      ),
    ]),
    '',
  ].join('\n');

const SHELLS = { bash, zsh, fish };
