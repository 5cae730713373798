// One process for each graphics card: DEVICES=0,1 npx tsx examples/pytorch-handler/worker.ts
// Reads ANTENNA_API_URL, ANTENNA_API_KEY and ANTENNA_PROJECTS (ids, separated by commas) from the environment.
import { fileURLToPath } from 'node:url';
import { AntennaClient, AntennaWorker, pipelinesFromCommand } from 'antenna-sdk';

const list = (name: string): string[] => (process.env[name] ?? '').split(',').filter(Boolean);
const devices = list('DEVICES');
const client = new AntennaClient();
const pipelines = await pipelinesFromCommand({
  command: process.env['PYTHON'] ?? 'python3',
  args: [fileURLToPath(new URL('model.py', import.meta.url))],
  ...(devices.length > 0 ? { devices } : {}),
  // torch keeps what it once had; a process that grew beyond this is replaced between two batches.
  recycle: { maxRssBytes: 12e9 },
  timeoutMs: 120_000,
  logger: client.logger,
});
const worker = new AntennaWorker({
  client,
  projects: list('ANTENNA_PROJECTS').map(Number),
  pipelines,
  // A call for every process, and the next one of each, whose images are sent while the first computes.
  concurrency: 2 * Math.max(1, devices.length),
});
worker.on('task', ({ imageId, outcome, detections }) => {
  console.log(`image ${imageId}: ${outcome}, ${detections} detections`);
});
const report = await worker.run();
console.log(`${report.succeeded} images done, ${report.failed} failed`);
await client.close();
