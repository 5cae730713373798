// A client and a worker on another runtime (Bun, Deno), against a contract server on Node. argv[2]: { url, key, project, images }.
import assert from 'node:assert/strict';
import { AntennaClient, AntennaWorker, definePipeline } from 'antenna-sdk';

const { url, key, project, images } = JSON.parse(process.argv[2]);
const logged = [];
const note = (fields, message) => logged.push(`${message} ${JSON.stringify(fields)}`);
const logger = { debug: note, info: note, warn: note, error: note };
const client = new AntennaClient({ baseUrl: url, apiKey: key, logger });
const mine = definePipeline({
  name: 'Mine',
  slug: 'mine',
  version: 1,
  algorithms: [{ key: 'mine-boxes', name: 'Mine boxes', task_type: 'detection' }],
  process: ({ bytes }) => ({ detections: [{ bbox: { x1: 0, y1: 0, x2: bytes.length, y2: 1 } }] }),
});
const worker = new AntennaWorker({ client, projects: [project], pipelines: [mine] });
// A runtime that reaches nothing would try for ever.
setTimeout(() => void worker.stop({ graceMs: 0 }), 60_000).unref();
const report = await worker.run({ until: 'drained', handleSignals: false });
await client.close();
assert.equal(report.posted, images, `${JSON.stringify(report)}\n${logged.join('\n')}`);
process.stdout.write(`posted ${report.posted}\n`);
