// `npm run chaos`, or `npm run chaos -- --short --seed 7 --tasks 5000 --keep --sabotage no-spool`.
import { parseArgs } from 'node:util';
import { describeOutcome } from './print.js';
import { runChaos } from './run-chaos.js';
import { FULL, PYTHON, SHORT } from './settings.js';
import type { Sabotage } from './worker-log.js';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    python: { type: 'boolean', default: false },
    seed: { type: 'string' },
    tasks: { type: 'string' },
    keep: { type: 'boolean', default: false },
    sabotage: { type: 'string' },
  },
});
/** DESIGN §8: what memory at the end may be, times what it was when it had settled. */
const MAX_MEMORY_RATIO = 1.1;

const preset = values.python ? PYTHON : values.short ? SHORT : FULL;
const settings = {
  ...preset,
  seed: Number(values.seed ?? preset.seed),
  tasks: Number(values.tasks ?? preset.tasks),
};
const startedAt = performance.now();
const outcome = await runChaos(settings, {
  keep: values.keep,
  sabotage: values.sabotage as Sabotage | undefined,
  print: (line) => {
    console.log(`[${((performance.now() - startedAt) / 1_000).toFixed(1)} s] ${line}`);
  },
});
for (const line of describeOutcome(outcome)) console.log(line);
if (values.keep) console.log(outcome.folder);
const { steady } = outcome.memory;
const grew = preset === FULL && steady !== undefined && steady.ratio > MAX_MEMORY_RATIO;
if (grew) console.log(`BROKEN PROMISE: memory of a worker grew to ${steady.ratio.toFixed(2)} times`);
if (outcome.ledger.findings.length > 0 || grew) process.exitCode = 1;
