// An Antenna with a job of `count` images of `bytes` bytes, and their server, in one process. Prints a line of JSON: { url, key, job }.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createContractServer } from '../../dist/testing.js';

const { count, bytes } = JSON.parse(process.argv[2]);
const body = randomBytes(bytes);
const images = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': bytes }).end(body);
});
await new Promise((resolve) => images.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${images.address().port}`;
// Leases so long that no task comes again, however slow the machine; and all may be out, where real servers give out 1,000 of a job.
const server = createContractServer({
  dialect: 'api-key',
  visibilityTimeoutMs: 3_600_000,
  maxOutstanding: count,
  emptyWaitMs: 20,
});
const { origin: url } = await server.listen();
const project = server.project({ name: 'Measured' });
const key = project.service({ name: 'bench' }).key().value;
const pipeline = project.pipeline({
  name: 'Boxes',
  slug: 'boxes',
  algorithms: [{ key: 'boxes', name: 'Boxes', task_type: 'detection' }],
});
const job = project.job({
  pipeline,
  images: Array.from({ length: count }, (_, at) => `${origin}/${at}.jpg`),
});
console.log(JSON.stringify({ url, key, job: job.id }));
process.stdin.resume().on('end', () => process.exit());
