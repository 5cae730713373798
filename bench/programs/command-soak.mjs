// Memory of both processes after each tenth of many images. argv: images, bytes an image.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CommandExecutor, silentLogger } from '../../dist/index.js';

const [images, bytes] = process.argv.slice(2).map(Number);
const BATCH = 16;
const handler = fileURLToPath(new URL('instant_handler.py', import.meta.url));
const executor = new CommandExecutor({ command: 'python3', args: [handler, '0', 'batch'] });
const context = {
  signal: new AbortController().signal,
  config: {},
  logger: silentLogger,
  deadline: { remainingMs: () => 30_000 },
};
const samples = [];
for (let at = 0; at < images; at += BATCH) {
  const batch = Array.from({ length: BATCH }, (_, index) => ({
    id: String(at + index),
    url: '',
    // A fresh buffer for each image, as downloads make them.
    bytes: Buffer.alloc(bytes, at),
    contentType: undefined,
    jobId: 1,
    detections: [],
  }));
  const outcomes = await executor.run(batch, context);
  const wrong = outcomes.find(({ ok }) => !ok);
  if (wrong) throw wrong.error;
  if (Math.floor((at / images) * 10) !== Math.floor(((at - BATCH) / images) * 10)) {
    const child = Number(readFileSync(`/proc/${outcomes[0].result.pid}/statm`, 'utf8').split(' ')[1]) * 4_096;
    samples.push({ ours: process.memoryUsage.rss(), theirs: child });
  }
}
await executor.close();
console.log(JSON.stringify(samples));
