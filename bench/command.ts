import { spawnSync } from 'node:child_process';
import { atLeast, compare, measure, type Bench, type Row } from './harness.js';

interface Times {
  readonly ms: number[];
  /** Of both processes together. */
  readonly cpuMs: number[];
}
interface Measured {
  readonly ours: Times;
  readonly raw: Times;
}

const ROUNDS = '9';
/** Calls at a time: one that is answered, one ahead. */
const LANES = '2';
const SIZES = [
  { name: '100 kB', bytes: 100_000, images: 1_600 },
  { name: '2 MB', bytes: 2_000_000, images: 400 },
] as const;

/** A handler in Python that returns at once, against Python reading the same bytes from a bare pipe and answering with a line. */
export const command: Bench = {
  name: 'command',
  title: 'A handler in Python, against a bare pipe',
  run() {
    if (spawnSync('python3', ['--version']).status !== 0) {
      console.log('  skipped: python3 is not there');
      return [];
    }
    const rows: Row[] = [];
    for (const { name, bytes, images } of SIZES) {
      for (const batch of [1, 8, 32]) {
        const args = [bytes, batch, images].map(String);
        const { ours, raw } = measure('command.mjs', ...args, ROUNDS, LANES) as Measured;
        const what = `${name}, ${batch === 1 ? 'one by one' : `${batch} a call`}, an image`;
        rows.push(compare({ what, ours: ours.ms, raw: raw.ms, unit: 'ms', atMost: 1.5 }));
        rows.push(compare({ what: '  CPU of both processes', ours: ours.cpuMs, raw: raw.cpuMs, unit: 'ms' }));
      }
      const { busy } = measure('command-busy.mjs', String(bytes), '50', '100') as { busy: number };
      rows.push(atLeast(`${name}, a model of 50 ms is busy`, busy * 100, '%', 97));
    }
    return rows;
  },
};
