// A worker over the built package: `worker-sdk.mjs '{"url":…,"tasks":…,"warmUp":…,"modelMs":0,"options":{…}}'`. Prints what the tasks
// after the warm-up took: CPU and wall-clock time, and the time in which the model was at work.
import { setTimeout as delay } from 'node:timers/promises';
import { AntennaClient, AntennaWorker, silentLogger } from 'antenna-sdk';
import { pipeline } from './bench-pipeline.mjs';

const {
  url,
  key = `abcdefgh.${'k'.repeat(32)}`,
  tasks,
  warmUp,
  modelMs = 0,
  options = {},
  marks = [],
} = JSON.parse(process.argv[2] ?? '{}');
const client = new AntennaClient({
  baseUrl: url,
  apiKey: `abcdefgh.${'k'.repeat(32)}`,
  clientInfo: false,
  logger: silentLogger,
});
let done = 0;
let calls = 0;
let callMs = 0;
let start;
let end;
const rss = {};
const result = { detections: [] };
const definition = pipeline({
  process:
    modelMs === 0
      ? () => result
      : async () => {
          const began = performance.now();
          await delay(modelMs);
          if (start) {
            calls += 1;
            callMs += performance.now() - began;
          }
          return result;
        },
});
const worker = new AntennaWorker({
  client,
  pipelines: [definition],
  register: false,
  pollIntervalMs: 200,
  ...options,
});
worker.on('posted', ({ count }) => {
  done += count;
  if (!start && done >= warmUp) start = { done, at: performance.now(), cpu: process.cpuUsage() };
  while (done >= marks[0]) rss[marks.shift()] = process.memoryUsage.rss() / 1e6;
  if (done >= tasks && !end) end = { at: performance.now(), cpu: process.cpuUsage(start.cpu) };
});
const report = await worker.run({ until: 'drained', handleSignals: false });
await client.close();
if (report.posted !== tasks) throw new Error(`${report.posted} of ${tasks} tasks were posted`);
const measured = tasks - start.done;
console.log(
  JSON.stringify({
    tasks: measured,
    cpuMs: (end.cpu.user + end.cpu.system) / 1000 / measured,
    perSecond: (measured * 1000) / (end.at - start.at),
    busy: callMs / (end.at - start.at),
    calls,
    rss,
    explain: worker.explain(),
  }),
);
