/**
 * How this command was called, so that a line that is printed can be typed: `npx` puts nothing on the path, and says in the environment that
 * it was the one.
 */
export function selfCommand(env: Readonly<Record<string, string | undefined>>): string {
  return env['npm_command'] === 'exec' ? 'npx antenna-sdk' : 'antenna';
}

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
