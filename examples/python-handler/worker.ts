// Runs the model in model.py as a worker: npx tsx examples/python-handler/worker.ts
// Reads ANTENNA_API_URL, ANTENNA_API_KEY and ANTENNA_PROJECTS (ids, separated by commas) from the environment.
import { fileURLToPath } from 'node:url';
import { AntennaClient, AntennaWorker, pipelinesFromCommand } from 'antenna-sdk';

const client = new AntennaClient();
const pipelines = await pipelinesFromCommand({
  command: process.env['PYTHON'] ?? 'python3',
  args: [fileURLToPath(new URL('model.py', import.meta.url))],
  recycle: { maxRssBytes: 2e9 },
  logger: client.logger,
});
const projects = (process.env['ANTENNA_PROJECTS'] ?? '').split(',').filter(Boolean).map(Number);
const worker = new AntennaWorker({ client, projects, pipelines, concurrency: 1 });
worker.on('task', ({ imageId, outcome, detections }) => {
  console.log(`image ${imageId}: ${outcome}, ${detections} detections`);
});
const report = await worker.run();
console.log(`${report.succeeded} images done, ${report.failed} failed`);
await client.close();
