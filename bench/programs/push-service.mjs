// A push service whose model takes no time: it fetches the images of a call, one after the other, and finds nothing. Prints its address;
// `GET /usage` tells its own CPU time and memory.
import { createServer } from 'node:http';
import { Agent, request as get } from 'undici';

const algorithms = [{ name: 'Bench box', key: 'bench-box', task_type: 'detection', category_map: null }];
const info = {
  name: 'Bench',
  pipelines: [{ name: 'Bench', slug: 'bench', version: 1, algorithms, stages: [] }],
};
const dispatcher = new Agent();
let turn = Promise.resolve();

async function answer({ url, body }) {
  if (url === '/info') return info;
  if (url === '/usage') return { cpu: process.cpuUsage(), rss: process.memoryUsage.rss() };
  if (url !== '/process') return { status: true };
  const { pipeline, source_images } = JSON.parse(body);
  for (const image of source_images) await (await get(image.url, { dispatcher })).body.arrayBuffer();
  return { pipeline, total_time: 0, algorithms: {}, source_images, detections: [] };
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  turn = turn.then(async () => {
    const text = JSON.stringify(await answer({ url: request.url, body: Buffer.concat(chunks).toString() }));
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
