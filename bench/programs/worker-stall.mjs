// Twenty-four results of 3.8 MB through a worker, and the delay of its event loop meanwhile; beside it the same posts as one
// `JSON.stringify` each. `worker-stall.mjs '{"url":…,"results":24}'`.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { AntennaClient, AntennaWorker, silentLogger } from 'antenna-sdk';

const { url, results } = JSON.parse(process.argv[2] ?? '{}');
const DETECTIONS = 40;
const CLASSES = 2500;
let seed = 1;
const random = () => {
  seed = (seed * 48271) % 2147483647;
  return seed / 2147483647;
};
const numbers = (of) => Array.from({ length: CLASSES }, of);
const detections = Array.from({ length: DETECTIONS }, (_, index) => ({
  bbox: { x1: index, y1: index, x2: index + 20.5, y2: index + 30.25 },
  classifications: [{ scores: numbers(random), logits: numbers(() => random() * 20 - 10) }],
}));
const labels = Array.from({ length: CLASSES }, (_, index) => ({ label: `Species ${index}` }));
const algorithms = [
  { key: 'bench-boxes', name: 'Bench boxes', task_type: 'detection' },
  {
    key: 'bench-species',
    name: 'Bench species',
    task_type: 'classification',
    category_map: { data: labels },
  },
];

/** Longest delay of the event loop in milliseconds while this runs. */
async function longest(run) {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  await delay(50);
  histogram.enable();
  await delay(20);
  histogram.reset();
  await run();
  await delay(20);
  histogram.disable();
  return histogram.max / 1e6;
}

const client = new AntennaClient({
  baseUrl: url,
  apiKey: `abcdefgh.${'k'.repeat(32)}`,
  clientInfo: false,
  logger: silentLogger,
});
const pipeline = { name: 'Bench', slug: 'bench', version: 1, algorithms, process: () => ({ detections }) };
const worker = new AntennaWorker({ client, pipelines: [pipeline], register: false, pollIntervalMs: 200 });
const run = async () => {
  const report = await worker.run({ until: 'drained', handleSignals: false });
  if (report.posted !== results) throw new Error(`${report.posted} of ${results} results were posted`);
};
// undici is loaded with the first request, in one piece, which is no matter of results.
await client.jobs.open({ pipelines: ['bench'] });
const ours = await longest(run);
await client.close();
const whole = { results: Array.from({ length: 8 }, () => ({ result: { detections } })) };
const raw = await longest(async () => {
  await delay(1);
  if (JSON.stringify(whole).length < 1e6) throw new Error('unexpected');
});
console.log(JSON.stringify({ ours, raw }));
