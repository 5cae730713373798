// A worker and its push service: `bridge-pair.mjs '{"url":…,"service":…,"tasks":…,"warmUp":…,"raw":false,"marks":[]}'`. Prints what the tasks
// after the warm-up took of both: CPU, time, and memory at most; and memory once so many tasks as each of the marks are done. `raw` is what somebody would write by hand: the service gets the images' own
// URLs, nothing is checked, repeated, measured or kept.
import { AntennaClient, AntennaWorker, pushService, silentLogger } from 'antenna-sdk';
import { Agent, request } from 'undici';

const { url, service: place, tasks, warmUp, raw = false, marks = [] } = JSON.parse(process.argv[2] ?? '{}');
const key = `abcdefgh.${'k'.repeat(32)}`;
const usage = async () => (await fetch(`${place}/usage`)).json();
let done = 0;
let start;
const peak = { ours: 0, theirs: 0 };
const memory = [];

async function progress(count) {
  done += count;
  peak.ours = Math.max(peak.ours, process.memoryUsage.rss());
  if (done >= marks[memory.length]) {
    const at = memory.push({ ours: process.memoryUsage.rss() }) - 1;
    memory[at].theirs = (await usage()).rss;
  }
  if (start || done < warmUp) return;
  start = { done, at: performance.now(), cpu: process.cpuUsage(), theirs: await usage() };
}

async function byHand() {
  const dispatcher = new Agent();
  const post = async (path, body) => {
    const headers = { 'content-type': 'application/json', authorization: `Api-Key ${key}` };
    const answer = await request(path, { method: 'POST', body: JSON.stringify(body), headers, dispatcher });
    return answer.body.json();
  };
  const reserve = async () => (await post(`${url}/api/v2/jobs/1/tasks/`, { batch_size: 4 })).tasks;
  let next = reserve();
  for (;;) {
    const taken = await next;
    if (taken.length === 0) break;
    next = reserve();
    const source_images = taken.map(({ image_id, image_url }) => ({ id: image_id, url: image_url }));
    const body = { pipeline: 'bench', source_images, config: {}, detections: null };
    const { total_time } = await post(`${place}/process`, body);
    const results = taken.map(({ reply_subject }, index) => ({
      reply_subject,
      result: { pipeline: 'bench', total_time, source_images: [source_images[index]], detections: [] },
    }));
    await post(`${url}/api/v2/jobs/1/result/`, { results });
    await progress(taken.length);
  }
}

async function bySdk() {
  const client = new AntennaClient({ baseUrl: url, apiKey: key, clientInfo: false, logger: silentLogger });
  const service = await pushService({ url: place });
  const worker = new AntennaWorker({
    client,
    pipelines: service.pipelines,
    register: false,
    pollIntervalMs: 200,
  });
  worker.on('posted', ({ count }) => void progress(count));
  const report = await worker.run({ until: 'drained', handleSignals: false });
  await client.close();
  if (report.posted !== tasks) throw new Error(`${report.posted} of ${tasks} tasks were posted`);
}

let end;
const watch = setInterval(async () => {
  const now = { at: performance.now(), cpu: process.cpuUsage(), theirs: await usage() };
  peak.theirs = Math.max(peak.theirs, now.theirs.rss);
  if (done < tasks || end) return;
  end = now;
}, 20);
watch.unref();
await (raw ? byHand() : bySdk());
end ??= { at: performance.now(), cpu: process.cpuUsage(), theirs: await usage() };
clearInterval(watch);
const ms = (from, to) => (to.user + to.system - from.user - from.system) / 1_000;
const measured = tasks - start.done;
console.log(
  JSON.stringify({
    oursMs: ms(start.cpu, end.cpu) / measured,
    theirsMs: ms(start.theirs.cpu, end.theirs.cpu) / measured,
    taskMs: (end.at - start.at) / measured,
    oursMb: peak.ours / 1e6,
    theirsMb: Math.max(peak.theirs, end.theirs.rss) / 1e6,
    memory,
  }),
);
process.exit(0);
