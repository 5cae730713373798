/** A line of a page that calls the command. */
export interface CommandLine {
  /** As it is written. */
  readonly line: string;
  /** The words after `antenna`, without quotes, comments and redirections. */
  readonly args: readonly string[];
}

/** Calls of the command in the blocks of a page that are to be typed: shell, and of recorded sessions what stands after `$`. */
export function typedLines(page: string): readonly CommandLine[] {
  return [...page.matchAll(/^```(sh|bash|console)\n([\s\S]*?)^```/gm)].flatMap(([, kind, block = '']) =>
    block
      .replaceAll(/\\\n\s*/g, ' ')
      .split('\n')
      .flatMap((line) => (kind === 'console' ? (/^\$ (.*)$/.exec(line)?.[1] ?? []) : line))
      .filter((line) => !line.startsWith('#'))
      .flatMap((line) => line.split(' && '))
      .flatMap(commandLine),
  );
}

/** Calls in running text and tables, which begin a piece of code: `antenna run --pipeline SLUG`. */
export function mentionedLines(page: string): readonly CommandLine[] {
  const text = page.replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/`((?:npx )?antenna(?:-sdk)? [^`]*)`/g)].flatMap(([, line = '']) =>
    commandLine(line),
  );
}

function commandLine(line: string): CommandLine[] {
  const call = /(?:^|\s)(?:npx )?antenna(?:-sdk)? (.*)$/.exec(line)?.[1];
  if (call === undefined) return [];
  const words = [...call.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) => word);
  const end = words.findIndex((word) => /^(?:#|[<>|&])/.test(word));
  const args = (end < 0 ? words : words.slice(0, end)).map((word) => word.replaceAll(/["']/g, ''));
  return [{ line, args }];
}
