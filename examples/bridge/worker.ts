// A pull-mode worker of a push service. With PUSH_SERVICE_URL it uses one that runs; else it starts the Python one beside this file.
//
//   ANTENNA_API_URL=… ANTENNA_API_KEY=… ANTENNA_PROJECTS=1 npx tsx examples/bridge/worker.ts
import { fileURLToPath } from 'node:url';
import { AntennaClient, AntennaWorker, pushService } from 'antenna-sdk';

const SERVICE = fileURLToPath(new URL('./service.py', import.meta.url));
const {
  PUSH_SERVICE_URL: running,
  PUSH_SERVICE_PORT: port = '2000',
  ANTENNA_PROJECTS: projects = '',
} = process.env;

const client = new AntennaClient();
const service = await pushService({
  ...(running === undefined
    ? { url: `http://127.0.0.1:${port}`, start: { command: 'python3', args: [SERVICE, '--port', port] } }
    : { url: running }),
  logger: client.logger,
});
console.log(`${service.name}: ${service.pipelines.map(({ slug }) => slug).join(', ')}`);
for (const { slug, reason } of service.refused) console.log(`not served: ${slug}, ${reason}`);

const worker = new AntennaWorker({
  client,
  projects: projects.split(',').filter(Boolean).map(Number),
  pipelines: service.pipelines,
  failures: 'failures.jsonl',
});
const report = await worker.run();
console.log(`${report.posted} results posted, ${report.failed} of them errors`);
await client.close();
