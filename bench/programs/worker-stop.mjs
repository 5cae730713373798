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
  maxHeld: inHand,
  graceMs,
});
const timer = setInterval(() => {
  if ((worker.held?.count ?? 0) < inHand) return;
  clearInterval(timer);
  console.log(`in hand ${worker.held.count}`);
}, 1);
const report = await worker.run();
clearInterval(timer);
await client.close();
console.log(JSON.stringify(report));
