// `npm run bench`, or only those whose name contains a word: `npm run bench -- encode`.
import { existsSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { bridge } from './bridge.js';
import { cache } from './cache.js';
import { cli } from './cli.js';
import { command } from './command.js';
import { contractServer } from './contract-server.js';
import { dataPath } from './data-path.js';
import { encode } from './encode.js';
import { get } from './get.js';
import { printTable } from './harness.js';
import { handlerSoak } from './handler-soak.js';
import { importTime } from './import.js';
import { pace } from './pace.js';
import { onnx } from './onnx.js';
import { provider } from './provider.js';
import { size } from './size.js';
import { soak } from './soak.js';
import { trouble } from './trouble.js';
import { worker } from './worker.js';

const BUILT = fileURLToPath(new URL('../dist/index.js', import.meta.url));
const [filter = ''] = process.argv.slice(2);
const chosen = [
  get,
  provider,
  cache,
  encode,
  importTime,
  size,
  contractServer,
  pace,
  worker,
  trouble,
  command,
  cli,
  dataPath,
  bridge,
  onnx,
  soak,
  handlerSoak,
].filter(({ name }) => name.includes(filter));

if (!existsSync(BUILT)) {
  console.error('The built package is measured: run "npm run build" first');
  process.exitCode = 1;
} else if (chosen.length === 0) {
  console.error(`No benchmark has "${filter}" in its name`);
  process.exitCode = 1;
} else {
  const [load = 0] = loadavg();
  const cores = availableParallelism();
  console.log(`Node ${process.version}, ${cores} cores, load ${load.toFixed(1)}`);
  if (load > cores / 2)
    console.log('Other programs are running: take no wall-clock figure for more than a hint');
  for (const bench of chosen) {
    console.log(`\n${bench.title} (${bench.name})`);
    printTable(await bench.run());
  }
}
