// A handler in Python under the command executor, beside a bare pipe to Python. argv: bytes an image, images a batch, images in all, rounds, calls at a time.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { CommandExecutor, silentLogger } from '../../dist/index.js';

const [bytes, batch, images, rounds, lanes] = process.argv.slice(2).map(Number);
const local = (name) => fileURLToPath(new URL(name, import.meta.url));
const buffers = Array.from({ length: 8 }, (_, index) => Buffer.alloc(bytes, index));
const context = {
  signal: new AbortController().signal,
  config: {},
  logger: silentLogger,
  deadline: { remainingMs: () => 30_000 },
};
const batchAt = (at) =>
  Array.from({ length: batch }, (_, index) => ({
    id: String(at + index),
    url: 'https://images.invalid/a.jpg',
    bytes: buffers[(at + index) % buffers.length],
    contentType: 'image/jpeg',
    jobId: 1,
    detections: [],
  }));

const executor = new CommandExecutor({
  command: 'python3',
  args: [local('instant_handler.py'), '0', 'batch'],
});
await executor.warmUp();
const bare = spawn('python3', [local('bare_pipe.py'), String(bytes), String(batch)], {
  stdio: ['pipe', 'pipe', 'inherit'],
});

/** As a worker calls: the next call is made while one is answered. */
async function ours() {
  let at = 0;
  const lane = async () => {
    while (at < images) {
      const outcomes = await executor.run(batchAt((at += batch) - batch), context);
      if (outcomes.some(({ ok }) => !ok)) throw outcomes[0].error;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
async function raw() {
  for (let at = 0; at < images; at += batch) {
    bare.stdin.cork();
    for (let index = 0; index < batch; index += 1) bare.stdin.write(buffers[(at + index) % buffers.length]);
    bare.stdin.uncork();
    await once(bare.stdout, 'data');
  }
}
/** CPU of a process in milliseconds, where the system tells it. */
function cpuMs(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return NaN;
  }
}
async function timed(work, pid, into) {
  const [startedAt, self, child] = [performance.now(), process.cpuUsage(), cpuMs(pid)];
  await work();
  const { user, system } = process.cpuUsage(self);
  into.ms.push((performance.now() - startedAt) / images);
  into.cpuMs.push(((user + system) / 1_000 + cpuMs(pid) - child) / images);
}

const [{ result }] = await executor.run(batchAt(0), context);
const measured = { ours: { ms: [], cpuMs: [] }, raw: { ms: [], cpuMs: [] } };
const contestants = [() => timed(ours, result.pid, measured.ours), () => timed(raw, bare.pid, measured.raw)];
for (let round = -1; round < rounds; round += 1) {
  for (const run of round % 2 === 0 ? contestants : contestants.toReversed()) await run();
  // The first warms up.
  if (round === -1) for (const { ms, cpuMs } of Object.values(measured)) [ms.length, cpuMs.length] = [0, 0];
}
await executor.close();
bare.stdin.end();
console.log(JSON.stringify(measured));
