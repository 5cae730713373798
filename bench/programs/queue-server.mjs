// The least that a worker meets: one job, its queue and its images, in a process of its own. It checks nothing and remembers only
// which tasks are out; the contract server would be the limit of what is measured.
// `queue-server.mjs '{"tasks":1000,"latencyMs":0}'`; prints its address; `GET /stats` tells what it saw. With `compact` it also counts what
// the results would have as compact JSON.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const {
  tasks,
  latencyMs = 0,
  compact = false,
  imageBytes = 1_000,
  imageFile,
} = JSON.parse(process.argv[2] ?? '{}');
const stats = {
  reserved: 0,
  accepted: 0,
  posts: 0,
  resultBytes: 0,
  compactBytes: 0,
  reserves: 0,
  images: 0,
  lists: 0,
  imagesAtOnce: 0,
  apiAtOnce: 0,
};
const running = { image: 0, api: 0 };
const image = imageFile ? readFileSync(imageFile) : Buffer.alloc(imageBytes, 7);
let origin = '';

function take(count) {
  const taken = [];
  for (; taken.length < count && stats.reserved < tasks; stats.reserved += 1) {
    const id = String(stats.reserved + 1);
    const reply_subject = `$JS.ACK.job_1.job-1-consumer.1.${id}.${id}.1795229915953121494.${tasks - stats.reserved - 1}`;
    taken.push({ id, image_id: id, image_url: `${origin}/i/${id}.jpg`, reply_subject });
  }
  return taken;
}

function json(response, value) {
  const body = JSON.stringify(value);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** How much goes on side by side: what a loop has to do as well, to be compared. */
function observe(request, response) {
  const kind = request.url.startsWith('/i/') ? 'image' : 'api';
  const most = `${kind === 'image' ? 'images' : 'api'}AtOnce`;
  running[kind] += 1;
  stats[most] = Math.max(stats[most], running[kind]);
  response.on('close', () => {
    running[kind] -= 1;
  });
}

async function answer(request, response) {
  observe(request, response);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (latencyMs > 0) await delay(latencyMs);
  const { url } = request;
  if (url.startsWith('/i/')) {
    stats.images += 1;
    response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': image.length });
    response.end(image);
  } else if (url.includes('/tasks/')) {
    stats.reserves += 1;
    json(response, { tasks: take(JSON.parse(body).batch_size) });
  } else if (url.includes('/result/')) {
    stats.posts += 1;
    stats.resultBytes += body.length;
    if (compact) stats.compactBytes += Buffer.byteLength(JSON.stringify(JSON.parse(body)));
    // Parsing a whole post would make the server the limit; each result has one of these.
    let count = 0;
    for (let at = body.indexOf('"reply_subject"'); at >= 0; at = body.indexOf('"reply_subject"', at + 1))
      count += 1;
    stats.accepted += count;
    json(response, { status: 'accepted', job_id: 1, results_queued: count, tasks: [] });
  } else if (url.startsWith('/stats')) {
    json(response, stats);
  } else {
    stats.lists += 1;
    const open = stats.accepted < tasks ? [{ id: 1, pipeline_slug: 'bench' }] : [];
    json(response, { count: open.length, next: null, previous: null, results: open });
  }
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
server.listen(0, '127.0.0.1', () => {
  origin = `http://127.0.0.1:${server.address().port}`;
  console.log(origin);
});
