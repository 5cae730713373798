// The loop that somebody would write by hand: the same requests, no checks, no retries, no leases, no spool. Reserving, downloading and
// posting go on side by side, as in the worker, or waiting for the last image of each batch would be measured.
// `worker-raw.mjs '{"url":…,"tasks":…,"warmUp":…,"reserve":64,"hold":128,"downloads":16,"post":50,"posts":2}'`.
import { Agent, request } from 'undici';

const {
  url,
  tasks,
  warmUp,
  reserve,
  hold,
  downloads,
  post,
  posts,
  marks = [],
} = JSON.parse(process.argv[2] ?? '{}');
const rss = {};
const dispatcher = new Agent({ connections: 64 });
const headers = { authorization: `Api-Key abcdefgh.${'k'.repeat(32)}`, accept: 'application/json' };
const posting = { ...headers, 'content-type': 'application/json' };
const waiting = [];
const results = [];
let taken = 0;
let posted = 0;
const running = { downloads: 0, posts: 0, reserve: false };
let start;
let end;
let finish;

async function send(path, value) {
  const { body } = await request(`${url}/api/v2${path}`, {
    dispatcher,
    method: 'POST',
    headers: posting,
    body: JSON.stringify(value),
  });
  return body.json();
}

async function take() {
  running.reserve = true;
  const { tasks: found } = await send('/jobs/1/tasks/', { batch_size: reserve });
  taken += found.length;
  waiting.push(...found);
  running.reserve = false;
  pump();
}

async function download(task) {
  running.downloads += 1;
  const { body } = await request(task.image_url, { dispatcher });
  const bytes = Buffer.from(await body.arrayBuffer());
  if (bytes.length === 0) throw new Error('empty');
  const { image_id, image_url, reply_subject } = task;
  const result = {
    pipeline: 'bench',
    total_time: 0.001,
    source_images: [{ id: image_id, url: image_url }],
    detections: [],
  };
  results.push({ reply_subject, result });
  running.downloads -= 1;
  pump();
}

async function deliver(batch) {
  running.posts += 1;
  await send('/jobs/1/result/', { results: batch });
  posted += batch.length;
  while (posted >= marks[0]) rss[marks.shift()] = process.memoryUsage.rss() / 1e6;
  if (!start && posted >= warmUp) start = { posted, at: performance.now(), cpu: process.cpuUsage() };
  if (posted >= tasks) {
    end = { at: performance.now(), cpu: process.cpuUsage(start.cpu) };
    finish();
  }
  running.posts -= 1;
  pump();
}

function pump() {
  if (!running.reserve && taken < tasks && taken - posted + reserve <= hold) void take();
  while (waiting.length > 0 && running.downloads < downloads) void download(waiting.shift());
  const computed = waiting.length === 0 && running.downloads === 0;
  while (running.posts < posts && (results.length >= post || (computed && results.length > 0)))
    void deliver(results.splice(0, post));
}

const list = await request(`${url}/api/v2/jobs/?limit=100`, { dispatcher, headers });
await list.body.json();
await new Promise((resolve) => {
  finish = resolve;
  pump();
});
await dispatcher.close();
const measured = tasks - start.posted;
console.log(
  JSON.stringify({
    tasks: measured,
    cpuMs: (end.cpu.user + end.cpu.system) / 1000 / measured,
    perSecond: (measured * 1000) / (end.at - start.at),
    rss,
  }),
);
