// The loop that somebody would write by hand: the same requests, no checks, no retries, no leases, no spool.
// `worker-raw.mjs '{"url":…,"tasks":…,"warmUp":…,"batch":64,"loops":2,"downloads":16}'`.
import { Agent, request } from 'undici';

const {
  url,
  key = `abcdefgh.${'k'.repeat(32)}`,
  tasks,
  warmUp,
  batch,
  loops,
  downloads,
} = JSON.parse(process.argv[2] ?? '{}');
const dispatcher = new Agent({ connections: 64 });
const headers = { authorization: `Api-Key abcdefgh.${'k'.repeat(32)}`, accept: 'application/json' };
const posting = { ...headers, 'content-type': 'application/json' };
let done = 0;
let start;
let end;

async function post(path, value) {
  const { body } = await request(`${url}/api/v2${path}`, {
    dispatcher,
    method: 'POST',
    headers: posting,
    body: JSON.stringify(value),
  });
  return body.json();
}

async function download(task) {
  const { body } = await request(task.image_url, { dispatcher });
  const bytes = Buffer.from(await body.arrayBuffer());
  if (bytes.length === 0) throw new Error('empty');
  return {
    reply_subject: task.reply_subject,
    result: {
      pipeline: 'bench',
      algorithms: {},
      total_time: 0.001,
      source_images: [{ id: task.image_id, url: task.image_url }],
      detections: [],
      errors: null,
    },
  };
}

async function all(found) {
  const results = new Array(found.length);
  let next = 0;
  const lane = async () => {
    while (next < found.length) {
      const index = next++;
      results[index] = await download(found[index]);
    }
  };
  await Promise.all(Array.from({ length: downloads / loops }, lane));
  return results;
}

async function loop() {
  for (;;) {
    const { tasks: found } = await post('/jobs/1/tasks/', { batch_size: batch });
    if (found.length === 0) return;
    const results = await all(found);
    await post('/jobs/1/result/', { results });
    done += results.length;
    if (!start && done >= warmUp) start = { done, at: performance.now(), cpu: process.cpuUsage() };
    if (done >= tasks) end = { at: performance.now(), cpu: process.cpuUsage(start.cpu) };
  }
}

const list = await request(`${url}/api/v2/jobs/?limit=100`, { dispatcher, headers });
await list.body.json();
await Promise.all(Array.from({ length: loops }, loop));
await dispatcher.close();
const measured = tasks - start.done;
console.log(
  JSON.stringify({
    tasks: measured,
    cpuMs: (end.cpu.user + end.cpu.system) / 1000 / measured,
    perSecond: (measured * 1000) / (end.at - start.at),
  }),
);
