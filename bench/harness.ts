import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** One line of the report: ours beside the raw equivalent, or a figure alone. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly raw: string;
  readonly ratio: string;
  readonly target: string;
  /** Undefined for a line that informs and promises nothing. */
  readonly met: boolean | undefined;
}

export interface Bench {
  readonly name: string;
  readonly title: string;
  run(): Row[] | Promise<Row[]>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError('No values to take the median of');
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/**
 * Measures several contestants round by round, in an order that turns from round to round, so that a machine that warms up or
 * slows down favours nobody.
 * @returns what each gave in each round.
 */
export function rounds<Name extends string, Measured>(
  count: number,
  contestants: Readonly<Record<Name, () => Measured>>,
): Record<Name, Measured[]> {
  const names = Object.keys(contestants) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Measured[]>;
  for (let round = 0; round < count; round += 1) {
    const order = round % 2 === 0 ? names : [...names].reverse();
    for (const name of order) measured[name].push(contestants[name]());
  }
  return measured;
}

/** A line with the ratio of the medians of paired measurements. */
export function compare(options: {
  what: string;
  ours: readonly number[];
  raw: readonly number[];
  unit: string;
  /** At most this many times the raw figure. */
  atMost?: number;
}): Row {
  const { what, ours, raw, unit, atMost } = options;
  const ratio = median(ours) / median(raw);
  return {
    what,
    ours: `${median(ours).toPrecision(3)} ${unit}`,
    raw: `${median(raw).toPrecision(3)} ${unit}`,
    ratio: `${ratio.toFixed(2)} x`,
    target: atMost === undefined ? '' : `<= ${atMost} x`,
    met: atMost === undefined ? undefined : ratio <= atMost,
  };
}

/** A line with one figure and its limit. */
export function figure(what: string, value: number, unit: string, atMost?: number): Row {
  return {
    what,
    ours: `${value.toPrecision(3)} ${unit}`,
    raw: '',
    ratio: '',
    target: atMost === undefined ? '' : `<= ${atMost} ${unit}`,
    met: atMost === undefined ? undefined : value <= atMost,
  };
}

/** A line with one figure that shall not be below its limit. */
export function atLeast(what: string, value: number, unit: string, limit: number): Row {
  return {
    what,
    ours: `${value.toFixed(1)} ${unit}`,
    raw: '',
    ratio: '',
    target: `>= ${limit} ${unit}`,
    met: value >= limit,
  };
}

/** Path of a program that is run in a process of its own. */
export function program(name: string): string {
  return fileURLToPath(new URL(`./programs/${name}`, import.meta.url));
}

/** Runs a program in a fresh process and reads the JSON that it prints. */
export function measure(name: string, ...args: string[]): unknown {
  const text = execFileSync(process.execPath, [program(name), ...args], { encoding: 'utf8' });
  return JSON.parse(text) as unknown;
}

/** Runs a program beside the measured one, a server mostly, and hands on the first line that it prints. */
export async function withProgram<Result>(
  name: string,
  args: readonly string[],
  use: (line: string) => Result | Promise<Result>,
): Promise<Result> {
  const child = spawn(process.execPath, [program(name), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return await use(line.toString().trim());
  } finally {
    child.kill();
    await once(child, 'exit');
  }
}

export function printTable(rows: readonly Row[]): void {
  const verdict = (met: boolean | undefined): string => (met === undefined ? '' : met ? 'met' : 'MISSED');
  const cells = rows.map((row) => [row.what, row.ours, row.raw, row.ratio, row.target, verdict(row.met)]);
  const table = [['', 'antenna-sdk', 'raw', 'ratio', 'target', ''], ...cells];
  const widths = (table[0] ?? []).map((_cell, column) =>
    Math.max(...table.map((line) => (line[column] ?? '').length)),
  );
  for (const line of table) {
    console.log(`  ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
  }
}
