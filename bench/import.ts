import { spawnSync } from 'node:child_process';
import { figure, measure, median, program, rounds, type Bench, type Row } from './harness.js';

const ROUNDS = 15;
const TARGET_MS = 120;

/** Wall-clock milliseconds of a whole process. */
function processMs(name: string): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, [program(name)], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${name} ended with ${String(status)}`);
  return performance.now() - start;
}

function row(format: string, empty: readonly number[], full: readonly number[]): Row {
  return {
    what: `${format}, in a fresh process (raw: an empty process)`,
    ours: `+ ${(median(full) - median(empty)).toFixed(1)} ms`,
    raw: `${median(empty).toFixed(1)} ms`,
    ratio: '',
    target: `<= ${TARGET_MS} ms`,
    met: median(full) - median(empty) <= TARGET_MS,
  };
}

/** What loading the package costs a process. */
export const importTime: Bench = {
  name: 'import',
  title: `Import of antenna-sdk, Node ${process.version}`,
  run() {
    const times = rounds(ROUNDS, {
      emptyEsm: () => processMs('empty.mjs'),
      esm: () => processMs('import-esm.mjs'),
      emptyCjs: () => processMs('empty.cjs'),
      cjs: () => processMs('import-cjs.cjs'),
    });
    const parts = rounds(ROUNDS, {
      parts: () => measure('import-parts.mjs') as Record<string, number>,
    }).parts;
    const names = Object.keys(parts[0] ?? {});
    return [
      row('ES module', times.emptyEsm, times.esm),
      row('CommonJS', times.emptyCjs, times.cjs),
      ...names.map((name) =>
        figure(`  of the ES module: ${name}`, median(parts.map((one) => one[name] ?? 0)), 'ms'),
      ),
    ];
  },
};
