import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { figure, median, program, rounds, withProgram, type Bench, type Row } from './harness.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const IMAGES = 2_000;
const HELP_ROUNDS = 15;

/** What `antenna bench --json` prints, as far as it is looked at. */
interface Figures {
  readonly images: number;
  readonly repeats: number;
  readonly failed: number;
  readonly posted: number;
  readonly imagesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly postsPerSecond: number;
  readonly reserve: Percentiles;
  readonly download: Percentiles;
  readonly post: Percentiles;
}
type Percentiles = Readonly<Record<'p50Ms' | 'p95Ms' | 'p99Ms', number>>;

/** `antenna bench` as a person runs it, on a job of its own. */
function measured(bytes: number, args: readonly string[]): Promise<Figures> {
  return withProgram('bench-site.mjs', [JSON.stringify({ count: IMAGES, bytes })], async (line) => {
    const { url, key, job } = JSON.parse(line) as { url: string; key: string; job: number };
    const flags = ['--job', String(job), '--tasks', String(IMAGES), '--max-time', '10m', '--json', ...args];
    const child = spawn(process.execPath, [CLI, 'bench', ...flags], {
      env: { PATH: process.env['PATH'] ?? '', ANTENNA_API_URL: url, ANTENNA_API_KEY: key },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [document] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    const figures = JSON.parse(document) as Figures;
    if (figures.images !== IMAGES || figures.repeats + figures.failed > 0)
      throw new Error(`antenna bench did not do its job: ${document}`);
    return figures;
  });
}

async function rows(size: string, bytes: number, args: readonly string[]): Promise<Row[]> {
  const of = await measured(bytes, args);
  const what = `2,000 images of ${size}${args.length > 0 ? `, ${args.join(' ')}` : ''}`;
  const line = (name: 'reserve' | 'download' | 'post'): string =>
    (['p50Ms', 'p95Ms', 'p99Ms'] as const).map((at) => of[name][at].toFixed(1)).join(' / ');
  const told = (name: string, ours: string): Row => ({
    ...{ what: `${what}: ${name}`, ours, raw: '', ratio: '', target: '', met: undefined },
  });
  return [
    figure(`${what}: images`, of.imagesPerSecond, 'a second'),
    figure(`${what}: bytes`, of.bytesPerSecond / 1e6, 'MB a second'),
    told('reserve p50 / p95 / p99', `${line('reserve')} ms`),
    told('download', `${line('download')} ms`),
    ...(of.posted > 0
      ? [figure(`${what}: posts`, of.postsPerSecond, 'a second'), told('post', `${line('post')} ms`)]
      : []),
  ];
}

/** Wall-clock milliseconds of a whole process. */
function processMs(args: readonly string[]): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${String(status)}`);
  return performance.now() - start;
}

function help(): Row {
  const { empty, full } = rounds(HELP_ROUNDS, {
    empty: () => processMs([program('empty.mjs')]),
    full: () => processMs([CLI, '--help']),
  });
  return {
    what: 'antenna --help (raw: an empty process)',
    ours: `${median(full).toFixed(0)} ms`,
    raw: `${median(empty).toFixed(0)} ms`,
    ratio: `+ ${(median(full) - median(empty)).toFixed(0)} ms`,
    target: '',
    met: undefined,
  };
}

/** The command as people use it: how soon it answers, and what `antenna bench` measures on this machine over loopback. */
export const cli: Bench = {
  name: 'cli',
  title: 'The antenna command',
  async run() {
    const table: Row[] = [help()];
    for (const [size, bytes] of [
      ['100 kB', 100_000],
      ['1 MB', 1_000_000],
    ] as const)
      for (const args of [[], ['--ack']]) table.push(...(await rows(size, bytes, args)));
    return table;
  },
};
