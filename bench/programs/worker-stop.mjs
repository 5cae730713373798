// A worker with slow images in hand, for SIGTERM: prints `in hand N` when there are enough, then its report.
import { setTimeout as delay } from 'node:timers/promises';
import { AntennaClient, AntennaWorker, silentLogger } from 'antenna-sdk';
import { pipeline } from './bench-pipeline.mjs';

const { url, inHand, modelMs, graceMs } = JSON.parse(process.argv[2] ?? '{}');
const client = new AntennaClient({
  baseUrl: url,
  apiKey: `abcdefgh.${'k'.repeat(32)}`,
  logger: silentLogger,
});
const process_ = async () => {
  await delay(modelMs);
  return { detections: [] };
};
const worker = new AntennaWorker({
  client,
  pipelines: [pipeline({ process: process_, warmUp: () => modelMs })],
  register: false,
  leaseMs: 300_000,
  concurrency: inHand / 2,
  maxBatchSize: inHand,
  // No job may have the last eighth of what may be held.
  maxHeld: Math.ceil((inHand * 8) / 7) + 1,
  graceMs,
});
const timer = setInterval(() => {
  if ((worker.held?.count ?? 0) < inHand) return;
  clearInterval(timer);
  console.log(`in hand ${worker.held.count}`);
}, 1);
// Without it a worker that never has as many would be waited for until somebody wonders.
const late = setTimeout(() => {
  console.error(`only ${worker.held?.count} of ${inHand} in hand after a minute`);
  process.exit(1);
}, 60_000);
const report = await worker.run();
clearInterval(timer);
clearTimeout(late);
await client.close();
console.log(JSON.stringify(report));
