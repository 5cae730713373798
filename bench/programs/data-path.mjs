// A worker whose handler in Python decodes every image: `data-path.mjs '{"url":…,"tasks":…}'`. Prints time, CPU of both and memory at most.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AntennaClient, AntennaWorker, pipelinesFromCommand, silentLogger } from 'antenna-sdk';

const { url, tasks } = JSON.parse(process.argv[2] ?? '{}');
const handler = fileURLToPath(new URL('decode_handler.py', import.meta.url));
const pids = [];
const logger = {
  ...silentLogger,
  info: ({ reason }) => /^pid \d+$/.test(reason) && pids.push(reason.slice(4)),
};
const pipelines = await pipelinesFromCommand({ command: 'python3', args: [handler], logger });
const client = new AntennaClient({
  baseUrl: url,
  apiKey: `abcdefgh.${'k'.repeat(32)}`,
  clientInfo: false,
  logger: silentLogger,
});
const worker = new AntennaWorker({ client, pipelines, register: false, pollIntervalMs: 200 });
const ofChild = () => {
  const fields = readFileSync(`/proc/${pids[0]}/stat`, 'utf8').split(') ')[1].split(' ');
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, rss: Number(fields[21]) * 4_096 };
};
const peak = { ours: 0, theirs: 0 };
let childCpuMs = 0;
const watch = setInterval(() => {
  const { cpuMs, rss } = ofChild();
  childCpuMs = cpuMs;
  peak.ours = Math.max(peak.ours, process.memoryUsage.rss());
  peak.theirs = Math.max(peak.theirs, rss);
}, 20);
watch.unref();
const before = { at: performance.now(), cpu: process.cpuUsage(), childCpuMs: ofChild().cpuMs };
let posted = 0;
let elapsedMs = 0;
worker.on('posted', ({ count }) => {
  posted += count;
  elapsedMs = performance.now() - before.at;
});
await worker.run({ until: 'drained', handleSignals: false });
const { user, system } = process.cpuUsage(before.cpu);
if (posted !== tasks) throw new Error(`${posted} of ${tasks} tasks were posted`);
console.log(
  JSON.stringify({
    perSecond: (tasks / elapsedMs) * 1_000,
    cpuS: ((user + system) / 1_000 + childCpuMs - before.childCpuMs) / 1_000,
    memoryMb: (peak.ours + peak.theirs) / 1e6,
  }),
);
process.exit(0);
