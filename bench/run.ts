// `npm run bench`, or only those whose name contains a word: `npm run bench -- encode`.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encode } from './encode.js';
import { get } from './get.js';
import { printTable } from './harness.js';
import { importTime } from './import.js';
import { size } from './size.js';

const BUILT = fileURLToPath(new URL('../dist/index.js', import.meta.url));
const [filter = ''] = process.argv.slice(2);
const chosen = [get, encode, importTime, size].filter(({ name }) => name.includes(filter));

if (!existsSync(BUILT)) {
  console.error('The built package is measured: run "npm run build" first');
  process.exitCode = 1;
} else if (chosen.length === 0) {
  console.error(`No benchmark has "${filter}" in its name`);
  process.exitCode = 1;
} else {
  for (const bench of chosen) {
    console.log(`\n${bench.title} (${bench.name})`);
    printTable(await bench.run());
  }
}
