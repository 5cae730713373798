// Waits for a notebook and works with what it attaches: npx tsx examples/notebook/worker.ts [path of the socket]
// Reads ANTENNA_API_URL, ANTENNA_API_KEY and ANTENNA_PROJECTS (ids, separated by commas) from the environment.
import { AntennaClient, AntennaWorker, pipelinesFromAttached } from 'antenna-sdk';

const [listen = '/tmp/antenna-notebook.sock'] = process.argv.slice(2);
const client = new AntennaClient();
console.log(`waiting for attach(process, ${JSON.stringify(listen)})`);
const pipelines = await pipelinesFromAttached({ listen, logger: client.logger });
const projects = (process.env['ANTENNA_PROJECTS'] ?? '').split(',').filter(Boolean).map(Number);
const worker = new AntennaWorker({ client, projects, pipelines });
worker.on('task', ({ imageId, outcome }) => {
  console.log(`image ${imageId}: ${outcome}`);
});
const report = await worker.run();
console.log(`${report.succeeded} images done, ${report.failed} failed`);
await client.close();
