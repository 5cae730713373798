import { spawnSync } from 'node:child_process';
import { compare, figure, measure, median, program, rounds, type Bench, type Row } from './harness.js';

const ROUNDS = 15;
const TARGET_MS = 120;

/** How many times as long as a process that imports zod and undici one may take that imports the package. */
const IMPORT_RATIO = 1.6;

/** Wall-clock milliseconds of a whole process. */
function processMs(name: string): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, [program(name)], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${name} ended with ${String(status)}`);
  return performance.now() - start;
}

function measured(count: number) {
  return rounds(count, {
    emptyEsm: () => processMs('empty.mjs'),
    baseEsm: () => processMs('import-base.mjs'),
    esm: () => processMs('import-esm.mjs'),
    emptyCjs: () => processMs('empty.cjs'),
    baseCjs: () => processMs('import-base.cjs'),
    cjs: () => processMs('import-cjs.cjs'),
  });
}

function added(format: string, empty: readonly number[], full: readonly number[]): Row {
  return {
    what: `${format}, what is added (raw: an empty process)`,
    ours: `+ ${(median(full) - median(empty)).toFixed(1)} ms`,
    raw: `${median(empty).toFixed(1)} ms`,
    ratio: '',
    target: `<= ${TARGET_MS} ms`,
    met: median(full) - median(empty) <= TARGET_MS,
  };
}

function ratio(format: string, ours: readonly number[], raw: readonly number[]): Row {
  const what = `${format}, a whole process (raw: one that imports zod and undici)`;
  return compare({ what, ours, raw, unit: 'ms', atMost: IMPORT_RATIO });
}

/** The package beside zod and undici, each in fresh processes, in turns. */
export function importRows(count: number): Row[] {
  const times = measured(count);
  return [ratio('ES module', times.esm, times.baseEsm), ratio('CommonJS', times.cjs, times.baseCjs)];
}

/** What loading the package costs a process. */
export const importTime: Bench = {
  name: 'import',
  title: 'Import of antenna-sdk, in a fresh process',
  run() {
    const times = measured(ROUNDS);
    const parts = rounds(ROUNDS, {
      parts: () => measure('import-parts.mjs') as Record<string, number>,
    }).parts;
    const names = Object.keys(parts[0] ?? {});
    return [
      ratio('ES module', times.esm, times.baseEsm),
      ratio('CommonJS', times.cjs, times.baseCjs),
      added('ES module', times.emptyEsm, times.esm),
      added('CommonJS', times.emptyCjs, times.cjs),
      ...names.map((name) =>
        figure(`  of the ES module: ${name}`, median(parts.map((one) => one[name] ?? 0)), 'ms'),
      ),
    ];
  },
};
