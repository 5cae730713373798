import { printable, type Output } from './output.js';

/** Where something that changes is shown. */
export interface Screen {
  /** On a terminal the lines replace those before; elsewhere they are written when they changed. */
  show(lines: readonly string[]): void;
  /** Leaves the last lines where they are. */
  close(): void;
}

/** A screen on standard output; without a terminal it is a plain text that grows, and with `--json` nothing. */
export async function startScreen(out: Output): Promise<Screen> {
  if (!out.isTerminal) return plainScreen(out);
  const { createLogUpdate } = await import('log-update');
  const update = createLogUpdate(out.stdout);
  return {
    show: (lines) => {
      update(lines.map(printable).join('\n'));
    },
    close: () => {
      update.done();
    },
  };
}

function plainScreen(out: Output): Screen {
  let last = '';
  return {
    show: (lines) => {
      const text = lines.join('\n');
      if (text !== last) out.line(text);
      last = text;
    },
    close: () => undefined,
  };
}
