import pc from 'picocolors';

/** The colours in use; each is the identity where there are none. */
export type Paint = ReturnType<typeof pc.createColors>;

/** Where a command writes, and how. */
export interface OutputOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One JSON document on standard output and nothing else there. */
  readonly json: boolean;
}

/** Colours where somebody sees them, unless `NO_COLOR` or `FORCE_COLOR` say otherwise (no-color.org). */
function wantsColour({ stdout, env }: OutputOptions): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '') return env['FORCE_COLOR'] !== '0';
  return stdout.isTTY && env['TERM'] !== 'dumb';
}

/**
 * Standard output for results, standard error for what is said about them, so that a pipe gets the one without the other. With
 * `--json` the first is one document for a machine.
 */
export class Output {
  readonly json: boolean;
  readonly paint: Paint;
  readonly #options: OutputOptions;

  constructor(options: OutputOptions) {
    this.json = options.json;
    this.#options = options;
    this.paint = pc.createColors(!options.json && wantsColour(options));
  }

  /** Whether a person sits before standard output. */
  get isTerminal(): boolean {
    return !this.json && this.#options.stdout.isTTY;
  }

  get columns(): number {
    const { columns } = this.#options.stdout as { readonly columns?: number };
    return columns ?? 80;
  }

  get stdout(): OutputOptions['stdout'] {
    return this.#options.stdout;
  }

  /** A line of the result for people; silent with `--json`. */
  line(text = ''): void {
    if (!this.json) this.#options.stdout.write(`${printable(text)}\n`);
  }

  /** The result for machines; silent without `--json`. */
  document(value: unknown): void {
    if (this.json) this.#options.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** A line for machines whatever the form, such as JSON lines. */
  raw(text: string): void {
    this.#options.stdout.write(`${text}\n`);
  }

  note(text: string): void {
    this.#options.stderr.write(`${printable(text)}\n`);
  }

  warn(text: string): void {
    this.note(`${this.paint.yellow('warning:')} ${text}`);
  }
}

/**
 * Texts of the server are somebody's: what a terminal would obey (escape sequences, bells, a carriage return) is taken out. Our own
 * colours stay.
 */
export function printable(text: string): string {
  return text
    .replaceAll(/\u001b(?!\[\d{1,2}m)/g, '')
    .replaceAll(/[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');
}

/** Columns aligned with two spaces between; colours do not count. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const bare = (text: string): string => text.replaceAll(/\u001b\[\d{1,2}m/g, '');
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => bare(row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - bare(cell).length)))
      .join('  ')
      .trimEnd(),
  );
}
