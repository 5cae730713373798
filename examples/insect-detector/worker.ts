/**
 * The detector as a worker against a real server:
 *
 *   ANTENNA_API_URL=https://antenna.example.org ANTENNA_API_KEY=… ANTENNA_PROJECTS=1,2 npx tsx examples/insect-detector/worker.ts
 */
import { AntennaClient, AntennaWorker } from 'antenna-sdk';
import { insectPipeline, THREADS } from './pipeline.js';

const projects = (process.env['ANTENNA_PROJECTS'] ?? '').split(',').filter(Boolean).map(Number);
const client = new AntennaClient();
const worker = new AntennaWorker({ client, projects, pipelines: [insectPipeline], concurrency: THREADS });
worker.on('task', ({ imageId, outcome, detections }) => {
  process.stdout.write(`image ${imageId}: ${outcome}, ${detections} detections\n`);
});
const report = await worker.run();
await client.close();
process.stdout.write(`${JSON.stringify(report)}\n`);
